// Answers that take long are made one after the other, so that few take memory at the same time,
// and a slice for each turn of the loop, so that whatever has come meanwhile goes first.

#include "daemon/call_private.h"

static void make_slice(void *arg)
{
    struct call_context *context = arg;
    struct call *call = context->slices.first;
    if (!call)
        return;
    call_leave_slices(call);
    call_answer(call);
    if (!call->is_sliced)
        call_free(call);
    if (context->slices.first)
        loop_timer_set(context->slices.timer, 0);
}

void call_leave_slices(struct call *call)
{
    struct call_slices *slices = &call->context->slices;
    if (!call->is_sliced)
        return;
    call->is_sliced = false;
    struct call **at = &slices->first;
    struct call *before = NULL;
    while (*at != call) {
        before = *at;
        at = &before->next_slice;
    }
    *at = call->next_slice;
    if (slices->last == call)
        slices->last = before;
}

static void put_first(struct call_slices *slices, struct call *call)
{
    call->next_slice = slices->first;
    slices->first = call;
    if (!slices->last)
        slices->last = call;
}

static void put_last(struct call_slices *slices, struct call *call)
{
    call->next_slice = NULL;
    *(slices->last ? &slices->last->next_slice : &slices->first) = call;
    slices->last = call;
}

bool call_enter_slices(struct call *call)
{
    struct call_context *context = call->context;
    struct call_slices *slices = &context->slices;
    if (!slices->timer) {
        slices->timer = loop_timer_new(context->loop, make_slice, context);
        if (!slices->timer)
            return false;
        loop_timer_yields(slices->timer);
    }
    call->is_sliced = true;
    if (call->service.pulled.position > call->service.pulled.from)
        put_first(slices, call);
    else
        put_last(slices, call);
    loop_timer_set(slices->timer, 0);
    return true;
}

void call_begin_anew(struct call_context *context, uint32_t community)
{
    for (struct call *call = context->slices.first; call; call = call->next_slice) {
        if (call->service.caller.community.number == community)
            call->service.pulled = (struct hub_pulled){.is_begun = false};
    }
}

void call_context_done(struct call_context *context)
{
    loop_timer_free(&context->slices.timer);
}
