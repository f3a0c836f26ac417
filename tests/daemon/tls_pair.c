#include "tests/daemon/tls_pair.h"

#include <criterion/criterion.h>

#include "daemon/certificate.h"

void tls_pair_init(struct tls_pair *pair, const char *pem, struct tickets *tickets,
                   const char *alpn, int version_max, const char *ciphers)
{
    struct fault fault = {0};
    *pair = (struct tls_pair){0};
    cr_assert_eq(certificate_ensure(pem, &fault), OK);
    cr_assert_eq(tls_context_new(pem, pem, tickets, &pair->context, &fault), OK, "%s", fault.text);
    pair->server = tls_new(pair->context);
    pair->ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(pair->ctx, 0);
    cr_assert(SSL_CTX_set_min_proto_version(pair->ctx, TLS1_VERSION));
    cr_assert(SSL_CTX_set_max_proto_version(pair->ctx, version_max));
    if (ciphers)
        cr_assert(SSL_CTX_set_cipher_list(pair->ctx, ciphers));
    pair->client = SSL_new(pair->ctx);
    if (alpn)
        cr_assert_eq(
            SSL_set_alpn_protos(pair->client, (const unsigned char *)alpn, (unsigned)strlen(alpn)),
            0);
    pair->in = BIO_new(BIO_s_mem());
    pair->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(pair->in, -1);
    SSL_set_bio(pair->client, pair->in, pair->out);
    SSL_set_connect_state(pair->client);
}

void tls_pair_done(struct tls_pair *pair)
{
    SSL_free(pair->client);
    SSL_CTX_free(pair->ctx);
    tls_free(&pair->server);
    tls_context_free(&pair->context);
}

enum err tls_pair_carry(struct tls_pair *pair, size_t step, struct buf *text)
{
    char *p;
    long n = BIO_get_mem_data(pair->out, &p);
    struct buf wire = {0}, back = {0};
    buf_put(&wire, bytes_of(p, (size_t)n));
    (void)BIO_reset(pair->out);
    pair->sent += wire.n;
    enum err err = OK;
    for (size_t at = 0; !err && at < wire.n; at += step)
        err = tls_feed(pair->server, bytes_of(wire.p + at, wire.n - at < step ? wire.n - at : step),
                       text, &back);
    pair->received += back.n;
    if (back.n > 0)
        (void)BIO_write(pair->in, back.p, (int)back.n);
    buf_done(&wire);
    buf_done(&back);
    return err;
}

enum err tls_pair_shake_hands(struct tls_pair *pair, size_t step)
{
    struct buf text = {0};
    enum err err = OK;
    for (int i = 0;
         !err && i < 6 && !(SSL_is_init_finished(pair->client) && tls_is_open(pair->server)); i++) {
        (void)SSL_do_handshake(pair->client);
        err = tls_pair_carry(pair, step, &text);
    }
    buf_done(&text);
    return err;
}
