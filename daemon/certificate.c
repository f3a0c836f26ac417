#include "daemon/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>
#include <unistd.h>

#include "daemon/file.h"
#include "daemon/random.h"

enum { FILE_MAX = 256 << 10 };

static bool name_it(X509 *certificate)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    static const unsigned char common_name[] = "folkmoot";
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) &&
           X509_set_issuer_name(certificate, name);
}

// Some TLS libraries ask for a subject alternative name whoever signed.
static bool add_alternative_name(X509 *certificate)
{
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:folkmoot,DNS:localhost");
    bool ok = extension && X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return ok;
}

static bool number_it(X509 *certificate)
{
    uint64_t serial;
    random_fill(&serial, sizeof serial);
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1);
}

static bool fill(X509 *certificate, EVP_PKEY *key)
{
    const long day = 24L * 60 * 60;
    return X509_set_version(certificate, X509_VERSION_3) && number_it(certificate) &&
           // A day back: the clocks of phones lie.
           X509_gmtime_adj(X509_getm_notBefore(certificate), -day) &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), CERTIFICATE_YEARS * 365L * day) &&
           X509_set_pubkey(certificate, key) && name_it(certificate) &&
           add_alternative_name(certificate) && X509_sign(certificate, key, EVP_sha256()) > 0;
}

static bool write_pem(BIO *bio, EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    bool ok = certificate && fill(certificate, key) &&
              PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) &&
              PEM_write_bio_X509(bio, certificate);
    X509_free(certificate);
    return ok;
}

static enum err make(const char *path, struct fault *fault)
{
    ERR_clear_error();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_secmem());
    enum err err = OK;
    char *text = NULL;
    if (!key || !bio || !write_pem(bio, key))
        err = fault_set(fault, ERR_IO, "libcrypto could not make a certificate");
    long n = err ? 0 : BIO_get_mem_data(bio, &text);
    if (!err)
        err = file_write_secret(path, bytes_of(text, (size_t)n), fault);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return err;
}

enum err certificate_renew(const char *path, struct fault *fault)
{
    return make(path, fault);
}

enum err certificate_ensure(const char *path, struct fault *fault)
{
    return access(path, F_OK) == 0 ? OK : make(path, fault);
}

bool certificate_hash_key(struct x509_st *certificate, uint8_t hash[HASH_SIZE])
{
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    bool ok = n > 0 && EVP_Digest(der, (size_t)n, hash, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
    return ok;
}

// The first in the file; the caller's (X509_free).
static enum err read_certificate(const char *path, X509 **certificate, struct fault *fault)
{
    struct buf pem = {0};
    enum err err = file_read(path, FILE_MAX, &pem, fault);
    ERR_clear_error();
    BIO *bio = err ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
    *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    if (!err && !*certificate)
        err = fault_set(fault, ERR_DAMAGED, "%s holds no certificate in PEM form", path);
    BIO_free(bio);
    if (pem.p)
        bytes_wipe(pem.p, pem.cap);
    buf_done(&pem);
    return err;
}

enum err certificate_key_hash(const char *path, uint8_t hash[HASH_SIZE], struct fault *fault)
{
    X509 *certificate;
    enum err err = read_certificate(path, &certificate, fault);
    if (!err && !certificate_hash_key(certificate, hash))
        err = fault_set(fault, ERR_DAMAGED, "the key in %s cannot be read", path);
    X509_free(certificate);
    return err;
}

enum err certificate_expiry(const char *path, int64_t *seconds, struct fault *fault)
{
    X509 *certificate;
    struct tm parts;
    enum err err = read_certificate(path, &certificate, fault);
    if (!err && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1)
        err = fault_set(fault, ERR_DAMAGED, "until when %s holds cannot be read", path);
    if (!err)
        *seconds = (int64_t)timegm(&parts);
    X509_free(certificate);
    return err;
}
