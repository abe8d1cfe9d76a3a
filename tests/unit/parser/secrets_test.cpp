#include "parser/secrets.hpp"

#include <doctest/doctest.h>

using pubsubsql::parser::holds_secret;

TEST_CASE("secrets: statements with passwords are known by their first words") {
  for (const char* sql :
       {"auth web secret", " AUTH", "stream auth web x", "create user web", "Alter  USER web", "-- c\nauth web x",
        "/* c */ create /* d */ user x", "mysql connect 'mysql://a:b@c/d'", ";auth x", "auth/* c */web secret",
        "execute immediate 'auth web x'", "execute immediate 'auth ? ?' using 'web', 'x'",
        "stream execute/* ' */immediate -- '\n 'create user a'", "prepare p1 from 'auth ? ?'",
        "prepare `it's` from ' alter user a'", "execute immediate 'mysql  connect ?' using 'a'"}) {
    CHECK_MESSAGE(holds_secret(sql), sql);
  }
  for (const char* sql :
       {"", "author", "create table user (a int)", "select auth from t", "-- auth web secret", "mysql status",
        "insert into t (auth) values (x)", "drop user web", "execute immediate 'select ''auth x'''",
        "execute p using 'auth x'", "prepare", "execute", "prepare `", "prepare p from '"}) {
    CHECK_FALSE_MESSAGE(holds_secret(sql), sql);
  }
}
