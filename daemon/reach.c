#include "daemon/reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "daemon/certificate.h"

enum { SECONDS_MAX = 5, HOST_MAX = 256 };

static enum err split(const char *address, char host[HOST_MAX], const char **port,
                      struct fault *fault)
{
    const char *colon = strrchr(address, ':');
    size_t n = colon ? (size_t)(colon - address) : 0;
    const char *from = address;
    if (n > 2 && from[0] == '[' && from[n - 1] == ']') {
        from++;
        n -= 2;
    }
    if (n == 0 || n >= HOST_MAX)
        return fault_set(fault, ERR_MALFORMED, "\"%s\" is not HOST:PORT", address);
    memcpy(host, from, n);
    host[n] = '\0';
    *port = colon + 1;
    return OK;
}

static int connect_one(const struct addrinfo *to)
{
    const struct timeval wait = {.tv_sec = SECONDS_MAX};
    int fd = socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC, to->ai_protocol);
    if (fd < 0)
        return -1;
    // Linux bounds connect() by it, too.
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
        return fd;
    int code = errno;
    (void)close(fd);
    errno = code;
    return -1;
}

static enum err connect_to(const char *address, const char *host, const char *port, int *fd,
                           struct fault *fault)
{
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int code = getaddrinfo(host, port, &hints, &found);
    if (code)
        return fault_set(fault, ERR_NOT_FOUND, "nobody knows where %s is: %s", host,
                         gai_strerror(code));
    *fd = -1;
    for (const struct addrinfo *to = found; to && *fd < 0; to = to->ai_next)
        *fd = connect_one(to);
    enum err err =
        *fd >= 0 ? OK
                 : fault_set(fault, ERR_IO, "no connection to %s: %s", address, strerror(errno));
    freeaddrinfo(found);
    return err;
}

static bool read_key(SSL *ssl, uint8_t key[HASH_SIZE])
{
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    bool ok = certificate && certificate_hash_key(certificate, key);
    X509_free(certificate);
    return ok;
}

// A proxy that serves several names answers only to one of them; RFC 6066 has none for addresses.
static bool set_name(SSL *ssl, const char *host)
{
    uint8_t ignored[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, ignored) == 1 || inet_pton(AF_INET6, host, ignored) == 1)
        return true;
    return SSL_set_tlsext_host_name(ssl, host) == 1;
}

// Trust is the identity key's, as on devices: any certificate will do.
static bool greet(int fd, const char *host, uint8_t key[HASH_SIZE])
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = context ? SSL_new(context) : NULL;
    bool ok = ssl && set_name(ssl, host) && SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1 &&
              read_key(ssl, key);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return ok;
}

enum err reach(const char *address, uint8_t key[HASH_SIZE], struct fault *fault)
{
    char host[HOST_MAX];
    const char *port = "";
    int fd = -1;
    enum err err = split(address, host, &port, fault);
    if (!err)
        err = connect_to(address, host, port, &fd, fault);
    if (err)
        return err;
    bool ok = greet(fd, host, key);
    (void)close(fd);
    return ok ? OK
              : fault_set(fault, ERR_MALFORMED, "whoever answers at %s does not speak TLS",
                          address);
}
