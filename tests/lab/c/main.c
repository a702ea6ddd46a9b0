/* A server and a client in C over any TLS library: blocking sockets, a thread for each connection of the server. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "peer.h"

static char **fields;
static void *context;

const char *plan(const char *field) {
    size_t length = strlen(field);
    for (char **pair = fields; *pair; pair++)
        if (!strncmp(*pair, field, length) && (*pair)[length] == '=')
            return *pair + length + 1;
    return NULL;
}

bool plan_is(const char *field, const char *value) {
    const char *found = plan(field);
    return found && !strcmp(found, value);
}

void fail(const char *what) {
    fprintf(stderr, "peer: %s\n", what);
    exit(2);
}

void ended(struct report *report, const char *fault, const char *error) {
    if (report->fault)
        return;
    report->fault = fault;
    snprintf(report->error, sizeof report->error, "%s", error);
    /* It is printed as JSON. */
    for (char *at = report->error; *at; at++)
        if (*at == '"' || *at == '\\' || *at < ' ')
            *at = '\'';
}

static void print(const struct report *report) {
    flockfile(stdout);
    printf("{\"port\":%d,\"completed\":%s", report->port, report->completed ? "true" : "false");
    const struct { const char *name; int value; } known[] = {
        {"peer_certificate", report->peer_certificate},
        {"requested", report->requested},
        {"resumed", report->resumed},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].value != UNKNOWN)
            printf(",\"%s\":%s", known[i].name, known[i].value ? "true" : "false");
    if (report->fault)
        printf(",\"fault\":\"%s\",\"error\":\"%s\"", report->fault, report->error);
    puts("}");
    fflush(stdout);
    funlockfile(stdout);
}

static socklen_t endpoint(struct sockaddr_storage *storage) {
    const char *address = plan("address");
    in_port_t port = htons((in_port_t)atoi(plan("port")));
    struct sockaddr_in *four = (void *)storage;
    struct sockaddr_in6 *six = (void *)storage;
    memset(storage, 0, sizeof *storage);
    if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
        four->sin_family = AF_INET, four->sin_port = port;
        return sizeof *four;
    }
    if (inet_pton(AF_INET6, address, &six->sin6_addr) != 1)
        fail("address");
    six->sin6_family = AF_INET6, six->sin6_port = port;
    return sizeof *six;
}

static int port_of(const struct sockaddr_storage *storage) {
    if (storage->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)storage)->sin6_port);
    return ntohs(((const struct sockaddr_in *)storage)->sin_port);
}

static struct report begin(const struct sockaddr_storage *client, int socket) {
    struct timeval patience = {.tv_sec = atoi(plan("patience"))};
    int yes = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return (struct report){.port = port_of(client), .peer_certificate = UNKNOWN, .requested = UNKNOWN, .resumed = UNKNOWN};
}

static void provide(void *session, struct report *report) {
    char buffer[4096];
    const char *reply = plan("reply");
    if (plan_is("service", "closes"))
        return;
    if (plan_is("service", "speaks_first") && tls_write(session, reply, report) < 0)
        return;
    if (tls_read(session, buffer, sizeof buffer, report) <= 0)
        return;
    if (plan_is("post_handshake_auth", "true"))
        tls_request_certificate(session, report);
    if (tls_write(session, reply, report) < 0)
        return;
    while (tls_read(session, buffer, sizeof buffer, report) > 0)
        ;
}

static void finish(void *session, int socket, const struct report *report) {
    print(report);
    if (report->completed && !report->fault)
        tls_goodbye(session);
    tls_free(session);
    close(socket);
}

struct accepted { int socket; struct sockaddr_storage client; };

static void *serve(void *argument) {
    struct accepted accepted = *(struct accepted *)argument;
    free(argument);
    struct report report = begin(&accepted.client, accepted.socket);
    void *session = tls_session(context, accepted.socket, true);
    report.completed = tls_handshake(session, &report);
    if (report.completed)
        provide(session, &report);
    finish(session, accepted.socket, &report);
    return NULL;
}

static void server(void) {
    struct sockaddr_storage address;
    socklen_t length = endpoint(&address);
    int listener = socket(address.ss_family, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 512))
        fail("listen");
    for (;;) {
        struct accepted *accepted = malloc(sizeof *accepted);
        socklen_t size = sizeof accepted->client;
        pthread_t thread;
        accepted->socket = accept(listener, (struct sockaddr *)&accepted->client, &size);
        if (accepted->socket < 0 || pthread_create(&thread, NULL, serve, accepted))
            fail("accept");
        pthread_detach(thread);
    }
}

static void behave(void *session, struct report *report) {
    char buffer[4096];
    if (plan_is("behaviour", "idles"))
        usleep((useconds_t)(atof(plan("idle_seconds")) * 1e6));
    if (plan_is("behaviour", "updates_key"))
        tls_update_key(session);
    if (!plan_is("behaviour", "requests") && !plan_is("behaviour", "updates_key"))
        return;
    if (tls_write(session, plan("request"), report) < 0)
        return;
    if (tls_read(session, buffer, sizeof buffer, report) == 0)
        ended(report, "closed", "closed without an answer");
}

static void call(void) {
    struct sockaddr_storage address, own;
    socklen_t length = endpoint(&address), size = sizeof own;
    int connection = socket(address.ss_family, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&address, length) || getsockname(connection, (struct sockaddr *)&own, &size))
        fail("connect");
    struct report report = begin(&own, connection);
    void *session = tls_session(context, connection, false);
    report.completed = tls_handshake(session, &report);
    if (report.completed) {
        behave(session, &report);
        if (plan_is("resume", "true") && !report.fault)
            tls_remember(context, session);
    }
    finish(session, connection, &report);
}

int main(int count, char **arguments) {
    if (count < 2)
        fail("server or client, and the fields of a plan");
    signal(SIGPIPE, SIG_IGN);
    bool is_server = !strcmp(arguments[1], "server");
    fields = arguments + 2;
    context = tls_context(is_server);
    if (is_server)
        server();
    for (int left = atoi(plan("count")); left > 0; left--)
        call();
    return 0;
}
