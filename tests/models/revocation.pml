/* A revocation, while a push of the same device waits and an answer to it is half sent.

   The loop checks a push (check_token, hub_check_push) and puts it into the writer's inbox; the
   writer judges it again in its own transaction (judge in hub_push.c, by the role at its place in the
   chain). What was read for a pull before is sent in parts. A revocation goes through the same inbox;
   its commit voids the token (token_void). From before the commit the writer holds the line
   (writer_is_deciding: write_out sends nothing); then the loop cuts the device's connections off
   (cutoff_run, called by on_decided and on_written), lets go, and reports that it is done.

   FAULT_EARLY: the push is judged when it is checked, not in the writer.
   FAULT_OPEN:  the connection is not cut off.
   FAULT_HOLD:  the line is not held.
   FAULT_TOKEN: a token is looked at only once for each connection. */

mtype = { PUSH, REVOKE };

bool revoked;      /* committed */
bool held;         /* nothing is sent */
bool is_open = true;
bool in_effect;    /* the pushed change */
bool apart;
bool late;         /* the push was taken after the revocation */
bool may;          /* what was judged when it was checked */
byte parts = 2;    /* of the answer, that wait to be sent */
byte requests = 2; /* that the device will still make */

chan inbox = [2] of { mtype };
chan outbox = [2] of { mtype };

active proctype writer() {
    mtype item;
end_wait:
    inbox ? item;
#ifndef FAULT_HOLD
    if
    :: item == REVOKE -> held = true
    :: else
    fi;
#endif
    atomic {    /* one transaction */
        if
        :: item == REVOKE -> revoked = true
        :: item == PUSH ->
            late = revoked;
#ifdef FAULT_EARLY
            in_effect = may;
#else
            in_effect = !revoked;
#endif
            apart = !in_effect
        fi
    }
    assert(!(late && in_effect));
    outbox ! item;
    goto end_wait
}

/* One thread: each branch is a turn of the loop. */
active proctype loop() {
    mtype item;
    bool pushed = false, asked = false, admitted;
end_turn:
    do
    :: !asked -> inbox ! REVOKE; asked = true                     /* the administrator */
    :: !pushed && is_open && nfull(inbox) ->
        may = !revoked;
        if
        :: may -> inbox ! PUSH
        :: else                                                   /* the token is void */
        fi;
        pushed = true
    :: atomic { is_open && parts > 0 && !held ->
            assert(!revoked);                                     /* a part goes out */
            parts--
        }
    :: is_open && requests > 0 ->
        requests--;
        atomic {    /* one read transaction looks at the token and reads the answer */
#ifdef FAULT_TOKEN
            admitted = true;
#else
            admitted = !revoked;
#endif
            if
            :: admitted -> assert(!revoked); parts = 2
            :: else                                               /* 401 */
            fi
        }
    :: outbox ? item ->
        if
        :: item == REVOKE ->
#ifndef FAULT_OPEN
            is_open = false;
            parts = 0;
#endif
            held = false
        :: else
        fi
    od
}
