/* What main.c and the file of a TLS library know of each other. See ../README.md for the plan and the reports. */

#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>

/* A field of the plan, or NULL if it has none. */
const char *plan(const char *field);
/* Whether a field of the plan has this value. */
bool plan_is(const char *field, const char *value);
/* Ends the program: the plan, or the machine, is no good. */
_Noreturn void fail(const char *what);

/* What is not known. */
enum { UNKNOWN = -1 };

/* What became of a connection. */
struct report {
    int port;
    bool completed;
    int peer_certificate, requested, resumed;
    const char *fault;
    char error[256];
};

/* Notes what ended the connection, if nothing did before. */
void ended(struct report *report, const char *fault, const char *error);

/* The parts that a library's file has. */

/* What all connections share. */
void *tls_context(bool server);
/* A session over a socket; its handshake is tls_handshake. */
void *tls_session(void *context, int socket, bool server);
bool tls_handshake(void *session, struct report *report);
/* How many bytes came or went; 0 at the other side's close, negative when something went wrong. */
int tls_read(void *session, char *buffer, int size, struct report *report);
int tls_write(void *session, const char *text, struct report *report);
/* Asks the client for its certificate, after the handshake. */
void tls_request_certificate(void *session, struct report *report);
void tls_update_key(void *session);
/* Keeps the session for resumption by the connections that follow. */
void tls_remember(void *context, void *session);
/* Sends close_notify and does not wait for the other side's. */
void tls_goodbye(void *session);
void tls_free(void *session);

#endif
