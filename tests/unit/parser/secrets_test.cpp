#include "parser/secrets.hpp"

#include <doctest/doctest.h>

using pubsubsql::parser::holds_secret;

TEST_CASE("secrets: statements with passwords are known by their first words") {
  for (const char* sql :
       {"auth web secret", " AUTH", "stream auth web x", "create user web", "Alter  USER web", "-- c\nauth web x",
        "/* c */ create /* d */ user x", "mysql connect 'mysql://a:b@c/d'", ";auth x", "auth/* c */web secret"}) {
    CHECK_MESSAGE(holds_secret(sql), sql);
  }
  for (const char* sql : {"", "author", "create table user (a int)", "select auth from t", "-- auth web secret",
                          "mysql status", "insert into t (auth) values (x)", "drop user web"}) {
    CHECK_FALSE_MESSAGE(holds_secret(sql), sql);
  }
}
