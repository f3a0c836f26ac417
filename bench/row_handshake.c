// TLS handshakes with the hub, full and resumed, by a client that comes, shakes hands and goes.
// Beside them the same with a bare OpenSSL server in a thread of this program, with the hub's own
// certificate and no application. A server's rate is for one processor that does nothing else.

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/cost.h"
#include "bench/figure.h"
#include "bench/rows.h"
#include "tests/e2e/check.h"
#include "tests/e2e/hub.h"
#include "tests/e2e/raw.h"

enum {
    HANDSHAKES = 500,
    ROUNDS = 3,
    FEW = 20,
    PATH_BYTES = 192,
    APPLICATION_DATA = 23,
    RECORD_HEAD = 5
};

static const unsigned char h2[] = {2, 'h', '2'};

// --- the client ---

// Bytes of the handshake's own records, the ticket's among them, and not those of application data.
struct counting {
    size_t bytes[2]; // by write_p
    size_t last;
};

static void on_message(int write_p, int version, int type, const void *p, size_t n, SSL *ssl,
                       void *arg)
{
    struct counting *counting = arg;
    const uint8_t *bytes = p;
    (void)version;
    (void)ssl;
    if (type == SSL3_RT_HEADER && n >= RECORD_HEAD) {
        counting->last = RECORD_HEAD + ((size_t)bytes[3] << 8 | bytes[4]);
        counting->bytes[write_p] += counting->last;
    } else if (type == SSL3_RT_INNER_CONTENT_TYPE && bytes[0] == APPLICATION_DATA) {
        counting->bytes[write_p] -= counting->last;
    }
}

// Comes, shakes hands and goes; with `ticket` it resumes, without it keeps a new one there.
static void come(SSL_CTX *context, uint16_t port, SSL_SESSION **ticket, bool resume,
                 struct counting *counting)
{
    struct raw raw;
    uint8_t byte;
    raw_open(&raw, port);
    (void)fcntl(raw.fd, F_SETFL, 0);
    SSL *ssl = SSL_new(context);
    CHECK(ssl && SSL_set_fd(ssl, raw.fd) == 1, "OpenSSL");
    *counting = (struct counting){0};
    SSL_set_msg_callback(ssl, on_message);
    SSL_set_msg_callback_arg(ssl, counting);
    CHECK(!resume || SSL_set_session(ssl, *ticket) == 1, "SSL_set_session");
    ERR_clear_error();
    CHECK(SSL_connect(ssl) == 1, "a handshake failed");
    CHECK((SSL_session_reused(ssl) == 1) == resume, "resumed: %d", SSL_session_reused(ssl));
    // Each server says a first word, and before that gives the ticket.
    CHECK(SSL_read(ssl, &byte, 1) == 1, "the server said nothing");
    if (!resume) {
        SSL_SESSION_free(*ticket);
        *ticket = SSL_get1_session(ssl);
    }
    (void)SSL_shutdown(ssl); // else the session counts as a bad one
    SSL_free(ssl);
    close(raw.fd);
}

// --- the bare server ---

struct bare {
    pthread_t thread;
    SSL_CTX *context;
    int listener;
    uint16_t port;
    size_t n; // connections until it ends
    double cpu_seconds;
};

static int choose(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                  const unsigned char *in, unsigned in_n, void *arg)
{
    (void)ssl;
    (void)in;
    (void)in_n;
    (void)arg;
    *out = h2 + 1;
    *out_n = 2;
    return SSL_TLSEXT_ERR_OK;
}

static void *serve(void *arg)
{
    struct bare *bare = arg;
    double begun = cost_own_cpu_seconds();
    for (size_t i = 0; i < bare->n; i++) {
        int fd = accept(bare->listener, NULL, NULL);
        SSL *ssl = SSL_new(bare->context);
        CHECK(fd >= 0 && ssl && SSL_set_fd(ssl, fd) == 1, "accept");
        ERR_clear_error();
        CHECK(SSL_accept(ssl) == 1 && SSL_write(ssl, "", 1) == 1, "a bare handshake failed");
        SSL_free(ssl);
        close(fd);
    }
    bare->cpu_seconds = cost_own_cpu_seconds() - begun;
    return NULL;
}

static void bare_open(struct bare *bare, const char *pem)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    bare->context = SSL_CTX_new(TLS_server_method());
    CHECK(bare->context && SSL_CTX_use_certificate_chain_file(bare->context, pem) == 1 &&
              SSL_CTX_use_PrivateKey_file(bare->context, pem, SSL_FILETYPE_PEM) == 1,
          "%s", pem);
    (void)SSL_CTX_set_num_tickets(bare->context, 1);
    (void)SSL_CTX_set_session_cache_mode(bare->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(bare->context, choose, NULL);
    bare->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(bare->listener, (struct sockaddr *)&address, n) == 0 &&
              listen(bare->listener, 64) == 0 &&
              getsockname(bare->listener, (struct sockaddr *)&address, &n) == 0,
          "%s", strerror(errno));
    bare->port = ntohs(address.sin_port);
}

static void bare_begin(struct bare *bare, size_t n)
{
    bare->n = n;
    CHECK(pthread_create(&bare->thread, NULL, serve, bare) == 0, "pthread_create");
}

// --- measuring ---

// What the last of so many cost in bytes.
static struct counting come_often(SSL_CTX *context, uint16_t port, SSL_SESSION **ticket,
                                  bool resume, size_t n)
{
    struct counting counting = {0};
    for (size_t i = 0; i < n; i++)
        come(context, port, ticket, resume, &counting);
    return counting;
}

static void say(const char *rate, const char *bytes, size_t n, double cpu,
                const struct counting *counting)
{
    figure("handshake", rate, (double)n / cpu);
    figure("handshake", bytes, (double)(counting->bytes[0] + counting->bytes[1]));
}

static void measure_bare(SSL_CTX *client, struct bare *bare, size_t n)
{
    SSL_SESSION *ticket = NULL;
    bare_begin(bare, n);
    struct counting full = come_often(client, bare->port, &ticket, false, n);
    pthread_join(bare->thread, NULL);
    say("raw_full_a_second", "raw_full_bytes", n, bare->cpu_seconds, &full);
    bare_begin(bare, n);
    struct counting resumed = come_often(client, bare->port, &ticket, true, n);
    pthread_join(bare->thread, NULL);
    say("raw_resumed_a_second", "raw_resumed_bytes", n, bare->cpu_seconds, &resumed);
    SSL_SESSION_free(ticket);
}

static void measure_hub(SSL_CTX *client, const struct hub *hub, size_t n)
{
    SSL_SESSION *ticket = NULL;
    double cpu = cost_cpu_seconds(hub->pid);
    struct counting full = come_often(client, hub->port, &ticket, false, n);
    say("full_a_second", "full_bytes", n, cost_cpu_seconds(hub->pid) - cpu, &full);
    cpu = cost_cpu_seconds(hub->pid);
    struct counting resumed = come_often(client, hub->port, &ticket, true, n);
    say("resumed_a_second", "resumed_bytes", n, cost_cpu_seconds(hub->pid) - cpu, &resumed);
    SSL_SESSION_free(ticket);
}

void row_handshake(const struct plan *plan)
{
    struct hub hub;
    struct bare bare = {0};
    char pem[HUB_PATH_BYTES];
    size_t n = plan->quick ? FEW : HANDSHAKES;
    hub_open(&hub, "");
    hub_path_of(&hub, "state/tls.pem", pem);
    bare_open(&bare, pem);
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    CHECK(client && SSL_CTX_set_alpn_protos(client, h2, sizeof h2) == 0, "OpenSSL");
    for (unsigned i = 0; i < plan->runs * ROUNDS; i++) {
        measure_bare(client, &bare, n);
        measure_hub(client, &hub, n);
    }
    SSL_CTX_free(client);
    SSL_CTX_free(bare.context);
    close(bare.listener);
    hub_close(&hub);
}
