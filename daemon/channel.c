#include "daemon/channel.h"

struct operations {
    enum err (*init)(struct channel *, const struct tls_context *);
    enum err (*feed)(struct channel *, struct bytes, struct buf *, struct buf *);
    enum err (*send)(struct channel *, struct bytes, struct buf *);
    bool (*is_open)(const struct channel *);
    void (*finish)(struct channel *, struct buf *);
};

static enum err plain_init(struct channel *channel, const struct tls_context *context)
{
    (void)channel;
    (void)context;
    return OK;
}

static enum err plain_feed(struct channel *channel, struct bytes wire, struct buf *text,
                           struct buf *wire_out)
{
    (void)channel;
    (void)wire_out;
    buf_put(text, wire);
    return text->err;
}

static enum err plain_send(struct channel *channel, struct bytes text, struct buf *wire_out)
{
    (void)channel;
    buf_put(wire_out, text);
    return wire_out->err;
}

static bool plain_is_open(const struct channel *channel)
{
    (void)channel;
    return true;
}

static void plain_finish(struct channel *channel, struct buf *wire_out)
{
    (void)channel;
    (void)wire_out;
}

static enum err secured_init(struct channel *channel, const struct tls_context *context)
{
    channel->tls = tls_new(context);
    return channel->tls ? OK : ERR_NOMEM;
}

static enum err secured_feed(struct channel *channel, struct bytes wire, struct buf *text,
                             struct buf *wire_out)
{
    return tls_feed(channel->tls, wire, text, wire_out);
}

static enum err secured_send(struct channel *channel, struct bytes text, struct buf *wire_out)
{
    return tls_send(channel->tls, text, wire_out);
}

static bool secured_is_open(const struct channel *channel)
{
    return tls_is_open(channel->tls);
}

static void secured_finish(struct channel *channel, struct buf *wire_out)
{
    tls_finish(channel->tls, wire_out);
}

static const struct operations operations[] = {
    [CHANNEL_PLAIN] = {plain_init, plain_feed, plain_send, plain_is_open, plain_finish},
    [CHANNEL_TLS] = {secured_init, secured_feed, secured_send, secured_is_open, secured_finish},
};

enum err channel_init(struct channel *channel, enum channel_kind kind,
                      const struct tls_context *context)
{
    *channel = (struct channel){.kind = kind};
    return operations[kind].init(channel, context);
}

void channel_done(struct channel *channel)
{
    tls_free(&channel->tls);
}

enum err channel_feed(struct channel *channel, struct bytes wire, struct buf *text,
                      struct buf *wire_out)
{
    return operations[channel->kind].feed(channel, wire, text, wire_out);
}

enum err channel_send(struct channel *channel, struct bytes text, struct buf *wire_out)
{
    return operations[channel->kind].send(channel, text, wire_out);
}

bool channel_is_open(const struct channel *channel)
{
    return operations[channel->kind].is_open(channel);
}

void channel_finish(struct channel *channel, struct buf *wire_out)
{
    operations[channel->kind].finish(channel, wire_out);
}

const uint8_t *channel_key_hash(const struct channel *channel)
{
    return channel->tls ? tls_key_hash(channel->tls) : NULL;
}
