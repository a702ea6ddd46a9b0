/* GnuTLS. */

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

static gnutls_certificate_credentials_t credentials;
static gnutls_priority_t priorities;
static gnutls_datum_t ticket_key, remembered;
/* What the check of a certificate found; a connection of the server has its thread. */
static _Thread_local unsigned verification;
static gnutls_typed_vdata_st expected[] = {{.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (void *)GNUTLS_KP_TLS_WWW_CLIENT}};

static void must(int code, const char *what) {
    if (code < 0) {
        fprintf(stderr, "peer: %s\n", gnutls_strerror(code));
        fail(what);
    }
}

void *tls_context(bool server) {
    must(gnutls_certificate_allocate_credentials(&credentials), "credentials");
    must(gnutls_priority_init(&priorities, plan("priority"), NULL), "priority");
    if (plan("identity.chain"))
        must(gnutls_certificate_set_x509_key_file(credentials, plan("identity.chain"), plan("identity.key"), GNUTLS_X509_FMT_PEM),
             "certificate");
    const char *trusted = plan(server ? "client_ca" : "trusted");
    must(gnutls_certificate_set_x509_trust_file(credentials, trusted, GNUTLS_X509_FMT_PEM), "CA");
    if (plan("crl"))
        must(gnutls_certificate_set_x509_crl_file(credentials, plan("crl"), GNUTLS_X509_FMT_PEM), "CRL");
    if (server)
        must(gnutls_session_ticket_key_generate(&ticket_key), "ticket key");
    return credentials;
}

/* As gnutls_session_set_verify_cert2 has it checked, but a client without a certificate is none of its business. */
static int verify_client(gnutls_session_t session) {
    unsigned certificates = 0;
    if (!gnutls_certificate_get_peers(session, &certificates) || !certificates)
        return 0;
    int code = gnutls_certificate_verify_peers(session, expected, 1, &verification);
    return code ? code : verification ? GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR : 0;
}

static void ask_for_certificate(gnutls_session_t session) {
    bool required = plan_is("auth", "required");
    if (plan_is("auth", "none"))
        return;
    gnutls_certificate_server_set_request(session, required ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
    gnutls_session_set_verify_function(session, verify_client);
}

static int only_name(gnutls_session_t session) {
    char name[256];
    size_t length = sizeof name;
    unsigned kind;
    int code = gnutls_server_name_get(session, name, &length, &kind, 0);
    return code || strcmp(name, plan("only_name")) ? GNUTLS_E_UNRECOGNIZED_NAME : 0;
}

void *tls_session(void *context, int socket, bool server) {
    gnutls_session_t session;
    bool later = plan_is("post_handshake_auth", "true");
    unsigned flags = server ? GNUTLS_SERVER : GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT;
    flags |= later ? GNUTLS_POST_HANDSHAKE_AUTH | GNUTLS_AUTO_REAUTH : 0;
    flags |= plan("tickets") ? GNUTLS_NO_AUTO_SEND_TICKET : 0;
    must(gnutls_init(&session, flags), "session");
    must(gnutls_priority_set(session, priorities), "priority");
    must(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, context), "credentials");
    if (server) {
        must(gnutls_session_ticket_enable_server(session, &ticket_key), "tickets");
        if (!later)
            ask_for_certificate(session);
        if (plan("only_name"))
            gnutls_handshake_set_post_client_hello_function(session, only_name);
    } else {
        const char *name = plan("server_name");
        must(gnutls_server_name_set(session, GNUTLS_NAME_DNS, name, strlen(name)), "server name");
        gnutls_session_set_verify_cert(session, name, 0);
        if (remembered.data)
            gnutls_session_set_data(session, remembered.data, remembered.size);
    }
    if (plan("alpn")) {
        gnutls_datum_t protocol = {(void *)plan("alpn"), strlen(plan("alpn"))};
        must(gnutls_alpn_set_protocols(session, &protocol, 1, server ? GNUTLS_ALPN_MANDATORY : 0), "ALPN");
    }
    unsigned patience = (unsigned)atoi(plan("patience")) * 1000;
    gnutls_handshake_set_timeout(session, patience);
    gnutls_record_set_timeout(session, patience);
    gnutls_transport_set_int(session, socket);
    return session;
}

static void failed(gnutls_session_t session, int code, struct report *report) {
    const char *fault = "refused";
    char text[256];
    snprintf(text, sizeof text, "%s", gnutls_strerror(code));
    switch (code) {
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
    case GNUTLS_E_WARNING_ALERT_RECEIVED:
        fault = "alerted";
        snprintf(text, sizeof text, "%s: %s", gnutls_strerror(code), gnutls_alert_get_name(gnutls_alert_get(session)));
        break;
    case GNUTLS_E_PREMATURE_TERMINATION:
        fault = "closed";
        break;
    case GNUTLS_E_PULL_ERROR:
    case GNUTLS_E_PUSH_ERROR:
        fault = "reset";
        break;
    case GNUTLS_E_TIMEDOUT:
        fault = "timed_out";
        break;
    case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR: {
        gnutls_datum_t why = {0};
        unsigned status = verification ? verification : gnutls_session_get_verify_cert_status(session);
        if (!gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &why, 0))
            snprintf(text, sizeof text, "%s", why.data);
        gnutls_free(why.data);
    }
    }
    ended(report, fault, text);
    /* The library leaves it to its user. An end that has gone need not be told. */
    if (!strcmp(fault, "refused"))
        gnutls_alert_send_appropriate(session, code);
}

static void note(gnutls_session_t session, struct report *report) {
    unsigned certificates = 0;
    const gnutls_datum_t *peer = gnutls_certificate_get_peers(session, &certificates);
    bool resumed = gnutls_session_is_resumed(session);
    /* A resumed session has the certificate of the one before; a failed handshake may not have come to it. */
    if (!resumed && (report->completed || (peer && certificates)))
        report->peer_certificate = peer && certificates;
}

bool tls_handshake(void *session, struct report *report) {
    int code;
    do
        code = gnutls_handshake(session);
    while (code < 0 && !gnutls_error_is_fatal(code));
    report->completed = code == GNUTLS_E_SUCCESS;
    bool server = plan("service");
    if (report->completed)
        report->resumed = gnutls_session_is_resumed(session);
    if (server)
        note(session, report);
    else if (report->completed || gnutls_certificate_client_get_request_status(session))
        report->requested = gnutls_certificate_client_get_request_status(session) != 0;
    if (!report->completed) {
        /* Its word for a client's alert in the place of a certificate. */
        if (code == GNUTLS_E_NO_CERTIFICATE_FOUND && gnutls_alert_get(session) != GNUTLS_A_CLOSE_NOTIFY)
            code = GNUTLS_E_FATAL_ALERT_RECEIVED;
        if (server && (code == GNUTLS_E_CERTIFICATE_REQUIRED || code == GNUTLS_E_NO_CERTIFICATE_FOUND))
            report->peer_certificate = false;
        failed(session, code, report);
        return false;
    }
    if (plan("tickets") && atoi(plan("tickets")) && gnutls_protocol_get_version(session) == GNUTLS_TLS1_3)
        gnutls_session_ticket_send(session, (unsigned)atoi(plan("tickets")), 0);
    return true;
}

int tls_read(void *session, char *buffer, int size, struct report *report) {
    ssize_t count;
    do
        count = gnutls_record_recv(session, buffer, (size_t)size);
    while (count == GNUTLS_E_INTERRUPTED || count == GNUTLS_E_AGAIN || count == GNUTLS_E_REAUTH_REQUEST);
    /* A close without close_notify is what many do. */
    if (count == GNUTLS_E_PREMATURE_TERMINATION)
        return 0;
    if (count < 0)
        failed(session, (int)count, report);
    return (int)count;
}

int tls_write(void *session, const char *text, struct report *report) {
    ssize_t count = gnutls_record_send(session, text, strlen(text));
    if (count < 0)
        failed(session, (int)count, report);
    return (int)count;
}

void tls_request_certificate(void *session, struct report *report) {
    int code;
    ask_for_certificate(session);
    do
        code = gnutls_reauth(session, 0);
    while (code < 0 && !gnutls_error_is_fatal(code));
    report->peer_certificate = gnutls_certificate_get_peers(session, NULL) != NULL;
    if (code < 0)
        failed(session, code, report);
}

void tls_update_key(void *session) {
    must(gnutls_session_key_update(session, GNUTLS_KU_PEER), "key update");
}

void tls_remember(void *context, void *session) {
    (void)context;
    gnutls_free(remembered.data);
    if (gnutls_session_get_data2(session, &remembered))
        remembered = (gnutls_datum_t){0};
}

void tls_goodbye(void *session) {
    gnutls_bye(session, GNUTLS_SHUT_WR);
}

void tls_free(void *session) {
    gnutls_deinit(session);
}
