#include "daemon/tls.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/certificate.h"
#include "daemon/tickets.h"

enum { READ_SIZE = 16 << 10 }; // a record's text at most

struct tls_context {
    SSL_CTX *ctx;
    uint8_t key_hash[HASH_SIZE];
};

struct tls {
    SSL *ssl;
    struct bytes in; // what came and is not read yet, borrowed during a feed
    struct buf *out; // where records go, during a feed or a sending
    bool open;
    bool failed;
    uint8_t key_hash[HASH_SIZE];
};

// --- what libssl reads and writes: the caller's buffers, so that a connection has none of its own
// ---

static int read_wire(BIO *bio, char *p, int n)
{
    struct tls *tls = BIO_get_data(bio);
    size_t some = tls->in.n < (size_t)n ? tls->in.n : (size_t)n;
    BIO_clear_retry_flags(bio);
    if (some == 0) {
        BIO_set_retry_read(bio); // more is to come
        return -1;
    }
    memcpy(p, tls->in.p, some);
    tls->in = bytes_of(tls->in.p + some, tls->in.n - some);
    return (int)some;
}

static int write_wire(BIO *bio, const char *p, int n)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!tls->out)
        return -1;
    buf_put(tls->out, bytes_of(p, (size_t)n));
    return tls->out->err ? -1 : n;
}

static long control_wire(BIO *bio, int command, long number, void *arg)
{
    (void)bio;
    (void)number;
    (void)arg;
    return command == BIO_CTRL_FLUSH;
}

// One for all contexts, for connections outlive theirs; NULL: out of memory.
static BIO_METHOD *wire_method(void)
{
    static BIO_METHOD *wire;
    if (wire)
        return wire;
    wire = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    if (wire && BIO_meth_set_read(wire, read_wire) && BIO_meth_set_write(wire, write_wire) &&
        BIO_meth_set_ctrl(wire, control_wire))
        return wire;
    BIO_meth_free(wire);
    wire = NULL;
    return NULL;
}

// --- contexts ---

static const unsigned char alpn_h2[] = {2, 'h', '2'};

static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                           const unsigned char *in, unsigned in_n, void *arg)
{
    (void)ssl;
    (void)arg;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_n, alpn_h2, sizeof alpn_h2, in, in_n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int turn_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                       EVP_MAC_CTX *mac, int seals)
{
    const struct tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    return seals ? tickets_seal(tickets, name, iv, cipher, mac)
                 : tickets_open(tickets, name, iv, cipher, mac);
}

static bool use_tickets(SSL_CTX *ctx, struct tickets *tickets)
{
    (void)SSL_CTX_set_timeout(ctx, TICKETS_SECONDS);
    return !tickets || (SSL_CTX_set_app_data(ctx, tickets) == 1 &&
                        SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, turn_ticket) == 1);
}

static bool set_up(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    // Sessions live in tickets alone; one is enough, and each costs some 250 bytes.
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(ctx, select_protocol, NULL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) &&
           SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") &&
           SSL_CTX_set_num_tickets(ctx, 1);
}

static const char *last_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? reason : "unknown reason";
}

// libssl compares the public halves alone: with a private one that was altered nobody could
// connect.
static bool fits_itself(EVP_PKEY *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool fits = ctx && EVP_PKEY_pairwise_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return fits;
}

static enum err load(SSL_CTX *ctx, const char *certificate, const char *key, struct fault *fault)
{
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
        return fault_set(fault, ERR_DAMAGED, "cannot use the certificate %s: %s", certificate,
                         last_reason());
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return fault_set(fault, ERR_DAMAGED, "cannot use the TLS key %s: %s", key, last_reason());
    if (SSL_CTX_check_private_key(ctx) != 1 || !fits_itself(SSL_CTX_get0_privatekey(ctx)))
        return fault_set(fault, ERR_DAMAGED, "the TLS key %s does not fit the certificate %s", key,
                         certificate);
    return OK;
}

enum err tls_context_new(const char *certificate, const char *key, struct tickets *tickets,
                         struct tls_context **out, struct fault *fault)
{
    ERR_clear_error();
    struct tls_context *context = calloc(1, sizeof *context);
    if (!context)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    context->ctx = SSL_CTX_new(TLS_server_method());
    enum err err = OK;
    if (!context->ctx || !set_up(context->ctx) || !use_tickets(context->ctx, tickets))
        err = fault_set(fault, ERR_IO, "libssl could not be set up: %s", last_reason());
    if (!err)
        err = load(context->ctx, certificate, key, fault);
    if (!err)
        err = certificate_key_hash(certificate, context->key_hash, fault);
    if (err)
        tls_context_free(&context);
    else
        *out = context;
    return err;
}

void tls_context_free(struct tls_context **context)
{
    if (!*context)
        return;
    SSL_CTX_free((*context)->ctx);
    free(*context);
    *context = NULL;
}

int64_t tls_context_expiry(const struct tls_context *context)
{
    const X509 *certificate = SSL_CTX_get0_certificate(context->ctx);
    struct tm parts;
    if (!certificate || !ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts))
        return 0;
    return timegm(&parts);
}

const uint8_t *tls_context_key_hash(const struct tls_context *context)
{
    return context->key_hash;
}

// --- connections ---

static bool attach(struct tls *tls, SSL_CTX *ctx)
{
    tls->ssl = SSL_new(ctx);
    BIO_METHOD *wire = wire_method();
    BIO *bio = tls->ssl && wire ? BIO_new(wire) : NULL;
    if (!bio)
        return false;
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_accept_state(tls->ssl);
    return true;
}

struct tls *tls_new(const struct tls_context *context)
{
    ERR_clear_error();
    struct tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return NULL;
    memcpy(tls->key_hash, context->key_hash, HASH_SIZE);
    if (!attach(tls, context->ctx))
        tls_free(&tls);
    return tls;
}

void tls_free(struct tls **tls)
{
    if (!*tls)
        return;
    SSL_free((*tls)->ssl);
    free(*tls);
    *tls = NULL;
}

const uint8_t *tls_key_hash(const struct tls *tls)
{
    return tls->key_hash;
}

bool tls_is_open(const struct tls *tls)
{
    return tls->open && !tls->failed;
}

// What is to be done after a call that gave no bytes.
static enum err sort_out(struct tls *tls, int result)
{
    int why = SSL_get_error(tls->ssl, result);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return OK;
    if (why == SSL_ERROR_ZERO_RETURN)
        return ERR_CUT;
    tls->failed = true;
    return ERR_MALFORMED;
}

static bool speaks_h2(const struct tls *tls)
{
    const unsigned char *name;
    unsigned n;
    SSL_get0_alpn_selected(tls->ssl, &name, &n);
    return bytes_equal(bytes_of(name, n), bytes_of(alpn_h2 + 1, sizeof alpn_h2 - 1));
}

static enum err shake_hands(struct tls *tls)
{
    ERR_clear_error();
    int result = SSL_do_handshake(tls->ssl);
    if (result != 1)
        return sort_out(tls, result);
    tls->open = true;
    return speaks_h2(tls) ? OK : ERR_MALFORMED;
}

static enum err read_text(struct tls *tls, struct buf *text)
{
    for (;;) {
        uint8_t *room = buf_room(text, READ_SIZE);
        if (!room)
            return text->err;
        ERR_clear_error();
        int n = SSL_read(tls->ssl, room, READ_SIZE);
        if (n <= 0)
            return sort_out(tls, n);
        text->n += (size_t)n;
    }
}

enum err tls_feed(struct tls *tls, struct bytes wire, struct buf *text, struct buf *wire_out)
{
    if (tls->failed || wire.n > INT_MAX)
        return ERR_MALFORMED;
    tls->in = wire;
    tls->out = wire_out;
    enum err err = tls->open ? OK : shake_hands(tls);
    if (!err && tls->open)
        err = read_text(tls, text);
    tls->in = bytes_of(NULL, 0);
    tls->out = NULL;
    return err ? err : wire_out->err;
}

enum err tls_send(struct tls *tls, struct bytes text, struct buf *wire_out)
{
    if (!tls_is_open(tls) || text.n > INT_MAX)
        return ERR_WRONG_STATE;
    if (text.n == 0)
        return OK;
    ERR_clear_error();
    // A buffer takes all there is memory for, so a write is whole or failed.
    tls->out = wire_out;
    int n = SSL_write(tls->ssl, text.p, (int)text.n);
    tls->out = NULL;
    if (n == (int)text.n)
        return wire_out->err;
    tls->failed = true;
    return ERR_NOMEM;
}

void tls_finish(struct tls *tls, struct buf *wire_out)
{
    if (!tls_is_open(tls))
        return;
    ERR_clear_error();
    tls->out = wire_out;
    (void)SSL_shutdown(tls->ssl);
    tls->out = NULL;
}
