/* BoringSSL. */

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

/* Reasons of errors from here on are the numbers of alerts received. */
enum { FIRST_ALERT = 1000 };

static SSL_SESSION *remembered;
/* The server asked for a certificate, in the connection at hand. */
static bool requested;

static void must(bool good, const char *what) {
    if (!good) {
        ERR_print_errors_fp(stderr);
        fail(what);
    }
}

static int choose_protocol(SSL *session, const uint8_t **chosen, uint8_t *length, const uint8_t *offered, unsigned size, void *unused) {
    (void)session, (void)unused;
    const char *own = plan("alpn");
    for (const uint8_t *at = offered; at < offered + size; at += 1 + *at)
        if (*at == strlen(own) && !memcmp(at + 1, own, *at)) {
            *chosen = at + 1, *length = *at;
            return SSL_TLSEXT_ERR_OK;
        }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int only_name(SSL *session, int *alert, void *unused) {
    (void)unused;
    const char *name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
    if (name && !strcmp(name, plan("only_name")))
        return SSL_TLSEXT_ERR_OK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int asked(SSL *session, void *unused) {
    (void)session, (void)unused;
    requested = true;
    return 1;
}

static int keep(SSL *session, SSL_SESSION *given) {
    (void)session;
    SSL_SESSION_free(remembered);
    remembered = given;
    return 1;
}

static void server_only(SSL_CTX *context) {
    static const uint8_t id[] = "laboratory";
    SSL_CTX_set_session_id_context(context, id, sizeof id - 1);
    if (plan_is("auth", "none"))
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    if (plan("crl")) {
        X509_STORE *store = SSL_CTX_get_cert_store(context);
        X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
        must(lookup && X509_load_crl_file(lookup, plan("crl"), X509_FILETYPE_PEM) > 0, "CRL");
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    }
    if (plan("tickets"))
        SSL_CTX_set_num_tickets(context, (size_t)atoi(plan("tickets")));
    if (plan("only_name"))
        SSL_CTX_set_tlsext_servername_callback(context, only_name);
    if (plan("alpn"))
        SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
}

static void client_only(SSL_CTX *context) {
    SSL_CTX_set_cert_cb(context, asked, NULL);
    if (plan_is("resume", "true")) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
        SSL_CTX_sess_set_new_cb(context, keep);
    }
    if (plan("alpn")) {
        uint8_t wire[256];
        uint8_t length = (uint8_t)strlen(plan("alpn"));
        wire[0] = length;
        memcpy(wire + 1, plan("alpn"), length);
        SSL_CTX_set_alpn_protos(context, wire, length + 1u);
    }
}

void *tls_context(bool server) {
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    const char *version = plan("version");
    if (version) {
        uint16_t code = strcmp(version, "1.2") ? TLS1_3_VERSION : TLS1_2_VERSION;
        must(SSL_CTX_set_min_proto_version(context, code) && SSL_CTX_set_max_proto_version(context, code), "version");
    }
    if (plan("identity.chain"))
        must(SSL_CTX_use_certificate_chain_file(context, plan("identity.chain")) &&
                 SSL_CTX_use_PrivateKey_file(context, plan("identity.key"), SSL_FILETYPE_PEM),
             "certificate");
    must(SSL_CTX_load_verify_locations(context, plan(server ? "client_ca" : "trusted"), NULL), "CA");
    bool insists = plan_is("auth", "required");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (insists ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    if (plan("cipher"))
        must(SSL_CTX_set_strict_cipher_list(context, plan("cipher")), "cipher suite");
    if (plan("group"))
        must(SSL_CTX_set1_curves_list(context, plan("group")), "group");
    server ? server_only(context) : client_only(context);
    return context;
}

void *tls_session(void *context, int socket, bool server) {
    SSL *session = SSL_new(context);
    SSL_set_fd(session, socket);
    requested = false;
    if (server) {
        SSL_set_accept_state(session);
        return session;
    }
    SSL_set_connect_state(session);
    SSL_set_tlsext_host_name(session, plan("server_name"));
    X509_VERIFY_PARAM_set1_host(SSL_get0_param(session), plan("server_name"), strlen(plan("server_name")));
    if (remembered)
        SSL_set_session(session, remembered);
    return session;
}

static bool is_first_error(int reason) {
    uint32_t first = ERR_peek_error();
    return first && ERR_GET_LIB(first) == ERR_LIB_SSL && ERR_GET_REASON(first) == reason;
}

static void failed(SSL *session, int code, struct report *report) {
    /* Both are read before anything else can change them. */
    int number = errno, error = SSL_get_error(session, code);
    uint32_t first = ERR_peek_error();
    char text[256];
    const char *fault = "refused";
    ERR_error_string_n(first, text, sizeof text);
    if (is_first_error(SSL_R_CERTIFICATE_VERIFY_FAILED)) {
        const char *why = X509_verify_cert_error_string(SSL_get_verify_result(session));
        snprintf(text, sizeof text, "certificate verify failed: %s", why);
    } else if (is_first_error(SSL_R_CLIENTHELLO_TLSEXT)) {
        /* The one thing that our callback refuses. */
        snprintf(text, sizeof text, "unrecognized name");
    } else if (first && ERR_GET_LIB(first) == ERR_LIB_SSL) {
        fault = ERR_GET_REASON(first) >= FIRST_ALERT ? "alerted" : "refused";
    } else if (error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SYSCALL && code == 0)) {
        fault = "closed";
        snprintf(text, sizeof text, "unexpected end");
    } else {
        fault = number == EAGAIN || error == SSL_ERROR_WANT_READ ? "timed_out" : "reset";
        snprintf(text, sizeof text, "%s", strerror(number));
    }
    ended(report, fault, text);
    ERR_clear_error();
}

bool tls_handshake(void *session, struct report *report) {
    bool server = SSL_is_server(session);
    ERR_clear_error();
    int code = SSL_do_handshake(session);
    report->completed = code == 1;
    if (report->completed)
        report->resumed = SSL_session_reused(session);
    if (!server && (report->completed || requested))
        report->requested = requested;
    if (server && !SSL_session_reused(session)) {
        bool came = SSL_get0_peer_certificates(session) || is_first_error(SSL_R_CERTIFICATE_VERIFY_FAILED);
        if (report->completed || came || is_first_error(SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE))
            report->peer_certificate = came;
    }
    if (!report->completed)
        failed(session, code, report);
    return report->completed;
}

int tls_read(void *session, char *buffer, int size, struct report *report) {
    int count = SSL_read(session, buffer, size);
    /* A close, with close_notify or as many do without. */
    if (count == 0 || (count < 0 && SSL_get_error(session, count) == SSL_ERROR_ZERO_RETURN))
        return 0;
    if (count < 0)
        failed(session, count, report);
    return count;
}

int tls_write(void *session, const char *text, struct report *report) {
    int count = SSL_write(session, text, (int)strlen(text));
    if (count < 0)
        failed(session, count, report);
    return count;
}

void tls_request_certificate(void *session, struct report *report) {
    (void)session, (void)report;
    fail("BoringSSL has no client authentication after the handshake");
}

void tls_update_key(void *session) {
    must(SSL_key_update(session, SSL_KEY_UPDATE_REQUESTED), "key update");
}

void tls_remember(void *context, void *session) {
    /* The callback has it. */
    (void)context, (void)session;
}

void tls_goodbye(void *session) {
    SSL_shutdown(session);
}

void tls_free(void *session) {
    SSL_free(session);
}
