#include "client/command/http.h"

#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

enum { URL_BYTES_MAX = 512, HEADER_BYTES_MAX = 512, PIN_BYTES_MAX = 80, CONNECT_SECONDS_MAX = 60 };

struct http {
    CURL *curl;
    struct folkmoot_session *session;
    void (*moved)(void *);
    void *arg;
    bool answered;  // the session knows that the answer began
    bool key_known; // of the connection in use
    uint8_t key[HASH_SIZE];
    char trouble[CURL_ERROR_SIZE];
};

// --- the connection's key ---

static bool key_of(X509 *certificate, uint8_t key[HASH_SIZE])
{
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (n <= 0)
        return false;
    struct hash hash;
    hash_begin_bare(&hash);
    hash_put(&hash, bytes_of(der, (size_t)n));
    hash_end(&hash, key);
    OPENSSL_free(der);
    return true;
}

static bool key_of_pem(const char *pem, uint8_t key[HASH_SIZE])
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    bool known = certificate && key_of(certificate, key);
    X509_free(certificate);
    BIO_free(bio);
    return known;
}

// A connection that is used again brings no certificate: its key is the one seen when it was made.
static void learn_key(struct http *http)
{
    struct curl_certinfo *info = NULL;
    long made = 1;
    curl_easy_getinfo(http->curl, CURLINFO_NUM_CONNECTS, &made);
    if (made > 0)
        http->key_known = false;
    if (curl_easy_getinfo(http->curl, CURLINFO_CERTINFO, &info) != CURLE_OK || !info ||
        info->num_of_certs < 1)
        return;
    static const char label[] = "Cert:";
    for (struct curl_slist *line = info->certinfo[0]; line; line = line->next) {
        if (strncmp(line->data, label, sizeof(label) - 1) == 0)
            http->key_known = key_of_pem(line->data + sizeof(label) - 1, http->key);
    }
}

// "sha256//" and the key in base64, as CURLOPT_PINNEDPUBLICKEY takes it.
static void pin_text(const uint8_t key[HASH_SIZE], char out[PIN_BYTES_MAX])
{
    static const char prefix[] = "sha256//";
    memcpy(out, prefix, sizeof(prefix));
    EVP_EncodeBlock((unsigned char *)out + sizeof(prefix) - 1, key, HASH_SIZE);
}

// --- the answer ---

// Tells the session once that the answer begins, or that there is none. wrong_key: the connection's
// key was not the request's.
static void begin_answer(struct http *http, bool wrong_key)
{
    long status = 0;
    if (http->answered)
        return;
    http->answered = true;
    learn_key(http);
    if (!wrong_key)
        curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    bool key = http->key_known && (status || wrong_key);
    folkmoot_session_answer(http->session, (int)status, key ? http->key : NULL);
}

static size_t on_body(char *part, size_t size, size_t n, void *arg)
{
    struct http *http = arg;
    begin_answer(http, false);
    folkmoot_session_receive(http->session, part, size * n);
    if (http->moved)
        http->moved(http->arg);
    return size * n;
}

// --- the request ---

static struct curl_slist *make_headers(const struct folkmoot_request *request)
{
    char authorization[HEADER_BYTES_MAX];
    // The empty ones take out headers that libcurl would add and that the hub does not need.
    static const char *const fixed[] = {"Content-Type: application/proto", "Accept:", "Expect:"};
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        struct curl_slist *longer = curl_slist_append(list, fixed[i]);
        list = longer ? longer : list;
    }
    if (request->token) {
        snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s", request->token);
        struct curl_slist *longer = curl_slist_append(list, authorization);
        list = longer ? longer : list;
        bytes_wipe(authorization, sizeof(authorization));
    }
    return list;
}

static void set_request(struct http *http, const struct folkmoot_request *request,
                        const struct curl_slist *headers)
{
    char url[URL_BYTES_MAX];
    char pin[PIN_BYTES_MAX];
    snprintf(url, sizeof(url), "https://%s%s", request->address, request->path);
    curl_easy_setopt(http->curl, CURLOPT_URL, url);
    curl_easy_setopt(http->curl, CURLOPT_USERAGENT, "folkmoot/" FOLKMOOT_VERSION);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS,
                     request->body_n ? request->body : (const uint8_t *)"");
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_n);
    if (request->tls_key)
        pin_text(request->tls_key, pin);
    curl_easy_setopt(http->curl, CURLOPT_PINNEDPUBLICKEY, request->tls_key ? pin : NULL);
}

static bool never_connected(CURLcode code)
{
    return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
           code == CURLE_SSL_CONNECT_ERROR;
}

void http_carry(struct http *http, struct folkmoot_session *session,
                const struct folkmoot_request *request)
{
    http->session = session;
    http->answered = false;
    http->trouble[0] = 0;
    struct curl_slist *headers = make_headers(request);
    set_request(http, request, headers);
    CURLcode code = curl_easy_perform(http->curl);
    if (code != CURLE_OK && http->trouble[0] == 0)
        snprintf(http->trouble, sizeof(http->trouble), "%s", curl_easy_strerror(code));
    if (never_connected(code))
        folkmoot_session_answer(session, FOLKMOOT_NOT_SENT, NULL);
    else
        begin_answer(http, code == CURLE_SSL_PINNEDPUBKEYNOTMATCH);
    folkmoot_session_finish(session, code == CURLE_OK);
    curl_slist_free_all(headers);
}

const char *http_trouble(const struct http *http)
{
    return http->trouble;
}

// --- life ---

static void set_always(struct http *http)
{
    CURL *curl = http->curl;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    // The pinned key is the trust; see http.h.
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    // Authorities that are not asked need not be read either, which takes longer than a handshake.
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS_MAX);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)HTTP_STALL_SECONDS);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->trouble);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
}

struct http *http_new(void (*moved)(void *), void *arg)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return NULL;
    struct http *http = calloc(1, sizeof(*http));
    CURL *curl = http ? curl_easy_init() : NULL;
    if (!curl) {
        free(http);
        curl_global_cleanup();
        return NULL;
    }
    *http = (struct http){.curl = curl, .moved = moved, .arg = arg};
    set_always(http);
    return http;
}

void http_free(struct http **http)
{
    if (!*http)
        return;
    curl_easy_cleanup((*http)->curl);
    curl_global_cleanup();
    free(*http);
    *http = NULL;
}
