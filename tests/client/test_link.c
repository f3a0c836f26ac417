#include <criterion/criterion.h>

#include "client/link.h"
#include "tests/leaks.h"

#define COMMUNITY "community=AAECAwQFBgcICQoLDA0ODw"
#define HUB       "hub=AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8"
#define CODE      "code=8PHy8_T19vf4-fr7_P3-_w"
#define ALL       COMMUNITY "&" HUB "&" CODE

Test(link, tells_address_community_hub_code_and_name)
{
    struct link link;
    cr_assert_eq(link_parse("folkmoot://hub.example.org:7443/join?" ALL
                            "&name=Marshgate%20%26%20Co",
                            &link, NULL),
                 OK);
    cr_assert_str_eq(link.address, "hub.example.org:7443");
    cr_assert_eq(link.community[15], 15);
    cr_assert_eq(link.hub_key[31], 15);
    cr_assert_eq(link.code[0], 0xf0);
    cr_assert_str_eq(link.name, "Marshgate & Co");
}

Test(link, may_have_blanks_around_other_parameters_and_any_order)
{
    struct link link;
    cr_assert_eq(link_parse(" \n folkmoot://[::1]:7443/join?later=x&" CODE "&" HUB "&" COMMUNITY
                            "\r\n",
                            &link, NULL),
                 OK);
    cr_assert_str_eq(link.address, "[::1]:7443");
    cr_assert_str_eq(link.name, "");
}

Test(link, comes_back_from_its_parts)
{
    struct link link = {.address = "127.0.0.1:1", .name = "Ä & ü=%"};
    struct link again;
    memset(link.community, 0xfb, sizeof link.community);
    memset(link.hub_key, 0xff, sizeof link.hub_key);
    struct buf out BUF_CLEANUP = {0};
    link_format(&link, &out);
    buf_put_u8(&out, 0);
    cr_assert_eq(link_parse((const char *)out.p, &again, NULL), OK, "%s", (const char *)out.p);
    cr_assert_str_eq(again.address, link.address);
    cr_assert_str_eq(again.name, link.name);
    cr_assert_arr_eq(again.community, link.community, sizeof link.community);
    cr_assert_arr_eq(again.hub_key, link.hub_key, sizeof link.hub_key);
    cr_assert_arr_eq(again.code, link.code, sizeof link.code);
}

Test(link, that_is_not_whole_is_refused)
{
    const char *const wrong[] = {
        "",
        "folkmoot://",
        "https://hub:1/join?" ALL,
        "folkmoot://hub/join?" ALL,
        "folkmoot://hub:0/join?" ALL,
        "folkmoot://hub:65536/join?" ALL,
        "folkmoot://:7443/join?" ALL,
        "folkmoot://a b:7443/join?" ALL,
        "folkmoot://user@hub:7443/join?" ALL,
        "folkmoot://hub:7443/leave?" ALL,
        "folkmoot://hub:7443/join?" COMMUNITY "&" HUB,
        "folkmoot://hub:7443/join?" COMMUNITY "&" CODE,
        "folkmoot://hub:7443/join?" HUB "&" CODE,
        "folkmoot://hub:7443/join?" ALL "&" CODE,
        "folkmoot://hub:7443/join?" ALL "=",
        "folkmoot://hub:7443/join?" ALL "&name=%",
        "folkmoot://hub:7443/join?" ALL "&name=%zz",
        "folkmoot://hub:7443/join?" ALL "&name=%00",
        "folkmoot://hub:7443/join?" ALL "&name=%ff",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct link link = {.address = "untouched"};
        struct fault fault = {0};
        cr_assert_eq(link_parse(wrong[i], &link, &fault), ERR_MALFORMED, "%s", wrong[i]);
        cr_assert_str_eq(link.address, "untouched");
        cr_assert_null(strstr(fault.text, "8PHy"), "the code is a secret");
    }
}

Test(link, cut_at_any_byte_is_refused)
{
    static const char whole[] = "folkmoot://hub:7443/join?" ALL;
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        char text[sizeof whole] = "";
        struct link link;
        memcpy(text, whole, n);
        cr_assert_neq(link_parse(text, &link, NULL), OK, "%s", text);
    }
    expect_no_leaks();
}

Test(link, over_its_limit_is_refused)
{
    static char text[LINK_MAX + 10];
    struct link link;
    memset(text, 'a', sizeof text - 1);
    cr_assert_eq(link_parse(text, &link, NULL), ERR_LIMIT);
}
