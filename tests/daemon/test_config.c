#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/config.h"

// Reads this text as a file; the path's name in faults becomes "FILE".
static enum err read_text(const char *text, struct config *config, struct fault *fault)
{
    char path[] = "/tmp/folkmoot-config-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
    config_default(config);
    enum err err = config_read(path, config, fault);
    (void)unlink(path);
    char *at = err ? strstr(fault->text, path) : NULL;
    if (at) {
        memcpy(at, "FILE", 4);
        memmove(at + 4, at + strlen(path), strlen(at + strlen(path)) + 1);
    }
    return err;
}

static void expect_fault(const char *text, const char *sentence)
{
    struct config config;
    struct fault fault = {0};
    cr_assert_neq(read_text(text, &config, &fault), OK, "\"%s\" was taken", text);
    cr_assert(strstr(fault.text, sentence), "\"%s\" says: %s", text, fault.text);
}

Test(config, has_a_default_for_every_key_and_they_fit_together)
{
    struct config config;
    struct fault fault = {0};
    config_default(&config);
    cr_assert_eq(config_check(&config, &fault), OK, "%s", fault.text);
    cr_assert_str_eq(config.state_dir, "/var/lib/folkmoot");
    cr_assert_eq(config.body_bytes, 1 << 20);
    cr_assert_eq(config.streams, 100);
}

Test(config, takes_what_a_file_says_and_keeps_the_other_defaults)
{
    struct config config;
    struct fault fault = {0};
    enum err err =
        read_text("# a hub\n[hub]\nstate_dir = /srv/hub ; here\naddress=hub.example.org:443\n"
                  "[listen]\ntls = 0.0.0.0:443, [::]:443\nplain=127.0.0.1:80,unix:/run/x\n"
                  "[limits]\nbody_bytes = 512K\nidle_seconds = 7\n[log]\nlevel = debug\n",
                  &config, &fault);
    cr_assert_eq(err, OK, "%s", fault.text);
    cr_assert_str_eq(config.state_dir, "/srv/hub");
    cr_assert_str_eq(config.address, "hub.example.org:443");
    cr_assert_eq(config.body_bytes, 512 << 10);
    cr_assert_eq(config.idle_seconds, 7);
    cr_assert_eq(config.progress_seconds, 120);
    cr_assert_str_eq(config.level, "debug");
}

Test(config, names_file_and_line_of_what_it_does_not_know)
{
    expect_fault("[hub]\nstate_dir = /a\ncolour = red\n", "FILE:3: [hub] colour: no such key");
    expect_fault("[hubs]\nstate_dir = /a\n", "FILE:2: [hubs] state_dir: no such key");
    expect_fault("state_dir = /a\n", "FILE:1: [] state_dir: no such key");
    expect_fault("[limits]\n\n\nbanana\n", "FILE:4: neither");
    expect_fault("[hub\n", "FILE:1: neither");
}

Test(config, refuses_a_key_that_is_given_twice_or_goes_on_in_a_second_line)
{
    expect_fault("[limits]\nstreams = 5\nstreams = 6\n", "FILE:3: [limits] streams: given twice");
    expect_fault("[listen]\ntls = 0.0.0.0:1\n  0.0.0.0:2\n", "FILE:3: [listen] tls: given twice");
}

Test(config, refuses_numbers_out_of_bounds_and_what_is_no_number)
{
    expect_fault("[limits]\nstreams = 0\n", "not within 1 and 1000");
    expect_fault("[limits]\nstreams = 1001\n", "not within");
    expect_fault("[limits]\nstreams = -1\n", "not a number");
    expect_fault("[limits]\nstreams = 5K\n", "not a number");
    expect_fault("[limits]\nstreams =\n", "not a number");
    expect_fault("[limits]\nbody_bytes = 1Q\n", "not a number of bytes");
    expect_fault("[limits]\nbody_bytes = 2M\n", "not within");
    expect_fault("[limits]\nbody_bytes = 99999999999999999999999\n", "not a number");
    expect_fault("[limits]\nmemory_bytes = 18446744073709551615G\n", "not a number");
}

Test(config, refuses_addresses_without_tls_that_others_can_reach)
{
    expect_fault("[listen]\nplain = 0.0.0.0:80\n", "only a loopback address or a unix socket");
    expect_fault("[listen]\nplain = 127.0.0.1:80, 192.0.2.1:80\n", "192.0.2.1:80");
    expect_fault("[listen]\nplain = [::]:80\n", "only a loopback address");
    expect_fault("[listen]\nmetrics = 0.0.0.0:9464\n", "only a loopback address");
    expect_fault("[listen]\nplain = localhost:80\n", "is not an address");
    expect_fault("[listen]\nplain = unix:here\n", "absolute path");
    expect_fault("[listen]\ntls = 0.0.0.0\n", "is not an address");
    expect_fault("[listen]\ntls = 0.0.0.0:70000\n", "is not an address");
    expect_fault("[listen]\ntls = 1.2.3.4:1,1.2.3.4:2,1.2.3.4:3,1.2.3.4:4,1.2.3.4:5,1.2.3.4:6,"
                 "1.2.3.4:7,1.2.3.4:8,1.2.3.4:9\n",
                 "at most 8 addresses");
}

Test(config, refuses_texts_of_the_wrong_form)
{
    expect_fault("[hub]\nstate_dir = here\n", "begins with /");
    expect_fault("[hub]\nstate_dir =\n", "begins with /");
    expect_fault("[hub]\naddress = hub.example.org\n", "HOST:PORT");
    expect_fault("[hub]\naddress = hub/x:1\n", "HOST:PORT");
    expect_fault("[log]\nlevel = loud\n", "one of error");
}

Test(config, refuses_a_line_that_is_too_long_rather_than_cut_it)
{
    char text[600] = "[hub]\nstate_dir = /";
    size_t n = strlen(text);
    memset(text + n, 'a', 300);
    text[n + 300] = '\n';
    text[n + 301] = '\0';
    expect_fault(text, "FILE:2: this line is too long");
}

Test(config, refuses_a_certificate_without_its_key_and_a_hub_that_listens_nowhere)
{
    struct config config;
    struct fault fault = {0};
    cr_assert_eq(read_text("[tls]\ncertificate = /a\n", &config, &fault), OK);
    cr_assert_eq(config_check(&config, &fault), ERR_MALFORMED);
    cr_assert_eq(read_text("[listen]\ntls =\n", &config, &fault), OK);
    cr_assert_eq(config_check(&config, &fault), ERR_MALFORMED);
}

Test(config, prints_what_it_would_read)
{
    char path[] = "/tmp/folkmoot-config-XXXXXX";
    static struct config first, second;
    struct fault fault = {0};
    cr_assert_eq(read_text("[limits]\nstreams = 9\n[hub]\naddress = a:1\n", &first, &fault), OK);
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    config_print(&first, file);
    cr_assert_eq(fclose(file), 0);
    config_default(&second);
    cr_assert_eq(config_read(path, &second, &fault), OK, "%s", fault.text);
    (void)unlink(path);
    cr_assert_arr_eq(&first, &second, sizeof first);
}

// The lines "key = value" of a file, with or without a # before them.
static size_t count_keys(const char *path, bool commented)
{
    char line[256];
    size_t count = 0;
    FILE *file = fopen(path, "re");
    cr_assert(file, "%s", path);
    while (fgets(line, sizeof line, file)) {
        char *p = commented && *line == '#' ? line + 1 : line;
        size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz_");
        count += n > 0 && strncmp(p + n, " = ", 3) == 0;
    }
    (void)fclose(file);
    return count;
}

Test(config, example_names_every_key_and_its_default)
{
    static struct config defaults, example;
    struct fault fault = {0};
    config_default(&defaults);
    config_default(&example);
    cr_assert_eq(config_read(EXAMPLE, &example, &fault), OK, "%s", fault.text);
    cr_assert_arr_eq(&defaults, &example, sizeof defaults);
    char path[] = "/tmp/folkmoot-config-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    config_print(&defaults, file);
    cr_assert_eq(fclose(file), 0);
    // One key stands there twice, with another form of its value.
    cr_assert_eq(count_keys(EXAMPLE, true), count_keys(path, false) + 1);
    (void)unlink(path);
}
