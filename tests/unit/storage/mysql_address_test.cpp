#include "storage/durable/mysql_address.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace pubsubsql::storage::durable;

namespace {

using enum mysql_address::tls_mode;

struct good_case {
  std::string text;
  std::string shown;
  std::string password;
  mysql_address::tls_mode tls = off;
  std::string ca_path = {};
};

struct bad_case {
  std::string text;
  std::string error;
};

}  // namespace

TEST_CASE("mysql address: what is understood") {
  const std::vector<good_case> cases = {
      {"mysql://u:p@h:1/d", "u@h:1/d", "p"},
      {"mysql://u@h/d", "u@h:3306/d", ""},
      {"mysql://u:@h/d", "u@h:3306/d", ""},
      {"mysql://u:p@/d", "u@127.0.0.1:3306/d", "p"},
      {"mysql://u:p@[::1]:65535/d", "u@[::1]:65535/d", "p"},
      {"mysql://u:p@[fe80::1]/d", "u@[fe80::1]:3306/d", "p"},
      {"mysql://u%40x:p%3a%2F%3f%25%C3%a4@h/d%2fe%20f", "u@x@h:3306/d/e f", "p:/?%\xc3\xa4"},
      {"mysql://u:p:q@r@h/d", "u@h:3306/d", "p:q@r"},
      {"mysql://u:p#+&=;@h/d", "u@h:3306/d", "p#+&=;"},
      {"mysql://u:p@h/d?", "u@h:3306/d", "p"},
      {"mysql://u:p@/d?socket=/run/my%20sql.sock", "u@/run/my sql.sock/d", "p"},
      {"mysql://u:p@h/d?tls=off", "u@h:3306/d", "p"},
      {"mysql://u:p@h/d?tls=require", "u@h:3306/d", "p", require},
      {"mysql://u:p@h/d?tls=verify&ca=/etc/ca.pem", "u@h:3306/d", "p", verify, "/etc/ca.pem"},
      {"mysql://u:p@h/d?ca=ca.pem&tls=verify", "u@h:3306/d", "p", verify, "ca.pem"},
      {"u:p@tcp(h:1)/d", "u@h:1/d", "p"},
      {"u:p@tcp(h)/d", "u@h:3306/d", "p"},
      {"u:p@tcp([::1]:1)/d", "u@[::1]:1/d", "p"},
      {"u@tcp(h:1)/d", "u@h:1/d", ""},
      {"u:p%41/?:@(@tcp(h:1)/d", "u@h:1/d", "p%41/?:@("},
      {"u:p@unix(/run/mysqld.sock)/d", "u@/run/mysqld.sock/d", "p"},
      {"u:p@tcp(h:1)/d?tls=true", "u@h:1/d", "p", verify},
      {"u:p@tcp(h:1)/d?tls=true&ca=/etc/ca.pem", "u@h:1/d", "p", verify, "/etc/ca.pem"},
      {"u:p@tcp(h:1)/d?tls=skip-verify", "u@h:1/d", "p", require},
      {"u:p@tcp(h:1)/d?tls=false", "u@h:1/d", "p"},
  };
  for (const good_case& c : cases) {
    CAPTURE(c.text);
    const auto parsed = parse_mysql_address(c.text);
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error());
    CHECK(parsed->shown() == c.shown);
    CHECK(parsed->password == c.password);
    CHECK(parsed->tls == c.tls);
    CHECK(parsed->ca_path == c.ca_path);
  }
}

TEST_CASE("mysql address: what is refused, without giving the password away") {
  const std::vector<bad_case> cases = {
      {"", "of no known form"},
      {"secret", "of no known form"},
      {"postgres://u:secret@h/d", "of no known form"},
      {"u:secret@h/d", "of no known form"},
      {"u:secret@udp(h:1)/d", "of no known form"},
      {"mysql://h/d", "names no user"},
      {"mysql://:secret@h/d", "names no user"},
      {":secret@tcp(h:1)/d", "names no user"},
      {"tcp(h:1)/d", "of no known form"},
      {"mysql://u:secret@h", "names no database"},
      {"mysql://u:secret@h/", "names no database"},
      {"mysql://u:secret@h?tls=off", "names no database"},
      {"u:secret@tcp(h:1)/", "names no database"},
      {"u:secret@tcp(h:1)/?tls=true", "names no database"},
      {"mysql://u:secret@h/d/e", "more than a database's name"},
      {"mysql://u:secret@h:/d", "port"},
      {"mysql://u:secret@h:0/d", "port"},
      {"mysql://u:secret@h:65536/d", "port"},
      {"mysql://u:secret@h:-1/d", "port"},
      {"mysql://u:secret@h:1x/d", "port"},
      {"mysql://u:secret@::1/d", "brackets"},
      {"mysql://u:secret@[::1/d", "IPv6"},
      {"mysql://u:secret@[h]/d", "IPv6"},
      {"mysql://u:secret@[::1]3306/d", "between the brackets and the port"},
      {"mysql://u:secret@a b/d", "host"},
      {"mysql://u:secret@a%2fb/d", "host"},
      {"mysql://u:secret%@h/d", "%25"},
      {"mysql://u:secret%4@h/d", "%25"},
      {"mysql://u:secret%4x@h/d", "%25"},
      {"mysql://u:secret%00@h/d", "zero byte"},
      {"mysql://u%0a:secret@h/d", "control characters"},
      {"mysql://u:secret@h/d%00", "control characters"},
      {"mysql://u:secret@h/d?socket=run/x", "path from the root"},
      {"u:secret@unix(x)/d", "path from the root"},
      {"mysql://u:secret@h/d?tls=maybe", "off, require or verify"},
      {"mysql://u:secret@h/d?tls", "off, require or verify"},
      {"mysql://u:secret@h/d?charset=utf8", "unknown option"},
      {"mysql://u:secret@h/d?ca=", "without a file"},
      {"mysql://u:secret@h/d?tls=require&ca=/x", "add tls=verify"},
      {"mysql://u:secret/more@h/d", "port"},
      {"mysql://u:p?secret=more@h/d", "port"},
  };
  for (const bad_case& c : cases) {
    CAPTURE(c.text);
    const auto parsed = parse_mysql_address(c.text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK_MESSAGE(parsed.error().find(c.error) != std::string::npos, parsed.error());
    CHECK(parsed.error().find("secret") == std::string::npos);
  }
}
