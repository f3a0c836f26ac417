#include "sync/letter.h"

#include "sync/digest.h"

enum { VERSION = 1, MEMO_MOST = LETTER_MEMO_MAX - CUT_SIZE };

static const char answer_label[] = "folkmoot letter answer v1";

// What stands outside the seal, and may not be altered either.
static void put_header(const struct letter *letter, struct buf *out)
{
    struct letter header = *letter;
    header.sealed = (struct bytes){0};
    message_encode(&letter_message, &header, out);
}

static void put_info(struct bytes community, struct buf *out)
{
    buf_put_text(out, "folkmoot letter v1");
    buf_put_u8(out, 0);
    buf_put(out, community);
}

static enum err seal(const struct hpke *hpke, const struct letter *letter, struct bytes plain,
                     struct buf *out)
{
    struct buf header BUF_CLEANUP = {0};
    put_header(letter, &header);
    return header.err ? header.err : hpke_seal(hpke, buf_bytes(&header), plain, out);
}

static void wipe(struct buf *buf)
{
    if (buf->p)
        bytes_wipe(buf->p, buf->cap);
}

// What was sealed, in the arena.
static enum err unseal(const struct hpke *hpke, const struct letter *letter, struct arena *arena,
                       struct bytes *plain)
{
    struct buf header BUF_CLEANUP = {0}, opened BUF_CLEANUP = {0};
    put_header(letter, &header);
    enum err err =
        header.err ? header.err : hpke_open(hpke, buf_bytes(&header), letter->sealed, &opened);
    if (!err)
        *plain = arena_copy(arena, buf_bytes(&opened));
    wipe(&opened);
    return err ? err : plain->p ? OK : ERR_NOMEM;
}

static bool is_complete(const struct letter *letter)
{
    return letter->community.n && letter->key.n && letter->nonce.n &&
           letter->sealed.n > HPKE_TAG_SIZE;
}

// --- the author's side ---

// As whoever wrote the letter with this nonce.
static enum err own_hpke(const struct letter_author *author, const uint8_t *nonce,
                         struct hpke *hpke)
{
    uint8_t ephemeral[HPKE_KEY_SIZE], key[HPKE_KEY_SIZE];
    struct buf info BUF_CLEANUP = {0};
    put_info(bytes_of(author->community, COMMUNITY_SIZE), &info);
    digest_letter_ephemeral(author->seed, nonce, ephemeral);
    enum err err = info.err ? info.err : hpke_key_of(author->hub_key, key);
    if (!err)
        err = hpke_send(ephemeral, key, buf_bytes(&info), hpke);
    bytes_wipe(ephemeral, sizeof ephemeral);
    return err;
}

static enum err sign_content(const struct letter_author *author, const struct hpke *hpke,
                             const uint8_t *nonce, const struct letter_content *content,
                             uint8_t signature[SIGN_SIZE])
{
    uint8_t key[KEY_SIZE];
    struct buf transcript BUF_CLEANUP = {0};
    enum err err = sign_public_key(author->seed, key);
    if (err)
        return err;
    digest_letter_transcript(author->community, key, hpke->encapsulated, nonce, content->request,
                             content->memo, &transcript);
    return transcript.err ? transcript.err
                          : sign_make(author->seed, buf_bytes(&transcript), signature);
}

static enum err write_sealed(const struct letter_author *author, const struct hpke *hpke,
                             const uint8_t *nonce, const struct letter_content *content,
                             struct buf *out)
{
    struct buf plain BUF_CLEANUP = {0}, sealed BUF_CLEANUP = {0};
    struct letter letter = {.version = VERSION,
                            .community = bytes_of(author->community, COMMUNITY_SIZE),
                            .key = BYTES(hpke->encapsulated),
                            .nonce = bytes_of(nonce, LETTER_NONCE_SIZE)};
    message_encode(&letter_content_message, content, &plain);
    enum err err = plain.err ? plain.err : seal(hpke, &letter, buf_bytes(&plain), &sealed);
    wipe(&plain);
    letter.sealed = buf_bytes(&sealed);
    if (!err)
        message_encode(&letter_message, &letter, out);
    return err ? err : out->err;
}

enum err letter_write(const struct letter_author *author, const uint8_t nonce[LETTER_NONCE_SIZE],
                      struct bytes request, struct bytes memo, struct buf *out)
{
    struct hpke hpke;
    uint8_t checked[LETTER_MEMO_MAX], signature[SIGN_SIZE];
    if (memo.n > MEMO_MOST || request.n > REQUEST_MAX)
        return ERR_LIMIT;
    if (memo.n)
        memcpy(checked, memo.p, memo.n);
    digest_letter_memo(author->seed, nonce, memo, checked + memo.n);
    struct letter_content content = {.device = bytes_of(author->handle, HANDLE_SIZE),
                                     .request = request,
                                     .memo = bytes_of(checked, memo.n + CUT_SIZE)};
    enum err err = own_hpke(author, nonce, &hpke);
    if (!err)
        err = sign_content(author, &hpke, nonce, &content, signature);
    content.signature = BYTES(signature);
    if (!err)
        err = write_sealed(author, &hpke, nonce, &content, out);
    bytes_wipe(&hpke, sizeof hpke);
    return err;
}

enum letter_kind letter_kind(const struct letter_author *author, struct bytes bytes)
{
    struct letter letter = {.version = 0};
    struct hpke hpke;
    if (bytes.n > LETTER_MAX + (1 << 10) ||
        message_decode(&letter_message, bytes, NULL, &letter, NULL) || !is_complete(&letter) ||
        letter.version != VERSION)
        return LETTER_NONE;
    if (!bytes_equal(letter.community, bytes_of(author->community, COMMUNITY_SIZE)))
        return LETTER_ELSEWHERE;
    if (!letter.answer_nonce.n)
        return LETTER_TO_HUB;
    bool is_own = own_hpke(author, letter.nonce.p, &hpke) == OK &&
                  bytes_equal(letter.key, BYTES(hpke.encapsulated));
    bytes_wipe(&hpke, sizeof hpke);
    return is_own ? LETTER_ANSWER : LETTER_OTHERS;
}

// The memo without its check, once that holds.
static bool take_memo(const struct letter_author *author, const struct letter *letter,
                      struct bytes *memo)
{
    uint8_t check[CUT_SIZE];
    if (memo->n < CUT_SIZE)
        return false;
    struct bytes own = bytes_of(memo->p, memo->n - CUT_SIZE);
    digest_letter_memo(author->seed, letter->nonce.p, own, check);
    bool holds = bytes_equal(BYTES(check), bytes_of(memo->p + own.n, CUT_SIZE));
    *memo = own;
    return holds;
}

static enum err open_answer(const struct letter_author *author, const struct letter *letter,
                            struct arena *arena, struct bytes *plain)
{
    struct hpke own, answer;
    enum err err = own_hpke(author, letter->nonce.p, &own);
    if (!err)
        err = hpke_answer(&own, answer_label, letter->answer_nonce.p, &answer);
    if (!err)
        err = unseal(&answer, letter, arena, plain);
    bytes_wipe(&own, sizeof own);
    bytes_wipe(&answer, sizeof answer);
    return err;
}

enum err letter_read(const struct letter_author *author, struct bytes bytes, struct arena *arena,
                     struct bytes *response, struct bytes *memo, struct fault *fault)
{
    struct letter letter = {.version = 0};
    struct letter_answer answer = {.memo = {0}};
    struct bytes plain = {0};
    if (letter_kind(author, bytes) != LETTER_ANSWER)
        return fault_set(fault, ERR_MALFORMED, "this is no answer to a letter of this device");
    enum err err = message_decode(&letter_message, bytes, arena, &letter, fault);
    if (!err)
        err = open_answer(author, &letter, arena, &plain);
    if (!err)
        err = message_decode(&letter_answer_message, plain, arena, &answer, fault);
    if (!err && !take_memo(author, &letter, &answer.memo))
        err = ERR_MALFORMED;
    *response = answer.response;
    *memo = answer.memo;
    return err == ERR_MALFORMED
               ? fault_set(fault, err, "the answer was altered on its way, or is not the hub's")
               : err;
}

// --- the hub's side ---

static enum err read_content(const uint8_t identity_seed[SIGN_SEED_SIZE], struct arena *arena,
                             struct letter_opened *opened)
{
    uint8_t secret[HPKE_KEY_SIZE];
    struct buf info BUF_CLEANUP = {0};
    struct bytes plain = {0};
    put_info(opened->letter.community, &info);
    enum err err = info.err ? info.err : hpke_secret_of(identity_seed, secret);
    if (!err)
        err = hpke_receive(secret, opened->letter.key.p, buf_bytes(&info), &opened->hpke);
    bytes_wipe(secret, sizeof secret);
    if (!err)
        err = unseal(&opened->hpke, &opened->letter, arena, &plain);
    return err ? err : message_decode(&letter_content_message, plain, NULL, &opened->content, NULL);
}

enum err letter_open(const uint8_t identity_seed[SIGN_SEED_SIZE], const struct letter *letter,
                     struct arena *arena, struct letter_opened *opened, struct fault *fault)
{
    *opened = (struct letter_opened){.letter = *letter};
    if (letter->version != VERSION)
        return fault_set(fault, ERR_VERSION, "Letter: version %u; this hub knows version %d",
                         letter->version, VERSION);
    if (!is_complete(letter) || letter->answer_nonce.n)
        return fault_set(fault, ERR_MALFORMED, "Letter: not one to a hub");
    enum err err = read_content(identity_seed, arena, opened);
    if (!err && (!opened->content.device.n || !opened->content.signature.n))
        err = ERR_MALFORMED;
    return err == ERR_MALFORMED
               ? fault_set(fault, err, "Letter: it was altered, or is sealed to another hub")
               : err;
}

enum err letter_check(const struct letter_opened *opened, const struct device *author,
                      struct fault *fault)
{
    struct buf transcript BUF_CLEANUP = {0};
    const struct letter *letter = &opened->letter;
    digest_letter_transcript(letter->community.p, author->key, letter->key.p, letter->nonce.p,
                             opened->content.request, opened->content.memo, &transcript);
    enum err err = transcript.err ? transcript.err
                                  : sign_verify(author->key, buf_bytes(&transcript),
                                                opened->content.signature.p);
    return err == ERR_MALFORMED ? fault_set(fault, ERR_UNAUTHENTICATED,
                                            "Letter: the device that it names has not signed it")
                                : err;
}

enum err letter_reply(struct letter_opened *opened, struct bytes response,
                      const uint8_t nonce[HPKE_NONCE_SIZE], struct arena *arena,
                      struct letter *reply)
{
    struct hpke hpke;
    struct buf plain BUF_CLEANUP = {0}, sealed BUF_CLEANUP = {0};
    struct letter_answer answer = {.response = response, .memo = opened->content.memo};
    *reply = opened->letter;
    reply->answer_nonce = arena_copy(arena, bytes_of(nonce, HPKE_NONCE_SIZE));
    message_encode(&letter_answer_message, &answer, &plain);
    enum err err = plain.err ? plain.err : reply->answer_nonce.p ? OK : ERR_NOMEM;
    if (!err)
        err = hpke_answer(&opened->hpke, answer_label, nonce, &hpke);
    if (!err)
        err = seal(&hpke, reply, buf_bytes(&plain), &sealed);
    wipe(&plain);
    bytes_wipe(&hpke, sizeof hpke);
    bytes_wipe(&opened->hpke, sizeof opened->hpke);
    if (!err)
        reply->sealed = arena_copy(arena, buf_bytes(&sealed));
    return err ? err : reply->sealed.p ? OK : ERR_NOMEM;
}
