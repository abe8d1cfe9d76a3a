// Statements about users and what they may do, and about the server itself.

#include <doctest/doctest.h>

#include "tests/unit/parser/examples.hpp"

using namespace pubsubsql::parser;

TEST_CASE("access: authentication") {
  check({
      {"auth web secret", "auth 'web' 'secret'"},
      {"auth 'web' 'it''s, a; (secret)'", ""},
      {"auth web", "expected the user's password, found end of statement at offset 8"},
      {"auth web null", "expected the user's password, found end of statement at offset 13"},
      {"stream auth web secret", "expected a statement that has a reply, found `auth` at offset 7"},
  });
}

TEST_CASE("access: users") {
  check({
      {"create user web identified by 'secret'", "create user 'web' identified by 'secret'"},
      {"create user 'a b' identified by password '$argon2id$v=19$x'", ""},
      {"create user web identified by password", "create user 'web' identified by 'password'"},
      {"alter user web identified by x;", "alter user 'web' identified by 'x'"},
      {"drop user web", "drop user 'web'"},
      {"create user web", "expected `identified by`, found end of statement at offset 15"},
      {"show users", ""},
  });
}

TEST_CASE("access: grants") {
  check({
      {"grant select, subscribe on stocks to web", "grant select, subscribe on stocks to 'web'"},
      {"grant all on * to web", "grant select, insert, update, delete, subscribe, create on * to 'web'"},
      {"grant admin to root", "grant admin to 'root'"},
      {"grant select on t to web where owner = current_user",
       "grant select on t to 'web' where owner = current_user()"},
      {"grant update on t to web where owner = current_user() and open = 1",
       "grant update on t to 'web' where owner = current_user() and open = 1"},
      {"grant delete on t to web where a = b", "grant delete on t to 'web' where a = b"},
      {"revoke insert on t from web", "revoke insert on t from 'web'"},
      {"revoke admin from web", "revoke admin from 'web'"},
      {"show grants", ""},
      {"show grants for web", "show grants for 'web'"},
      {"grant admin, select on t to web", "expected `admin` alone, as it is on no table, found `on` at offset 20"},
      {"grant admin to web where a = 1", "expected end of statement, found `where` at offset 19"},
      {"grant fly on t to web",
       "expected `select`, `insert`, `update`, `delete`, `subscribe`, `create`, `all` or `admin`, found `fly` at "
       "offset 6"},
      {"revoke select on t to web", "expected `from`, found `to` at offset 19"},
  });
}

TEST_CASE("access: the user is a function, also bare") {
  check({
      {"select * from t where owner = current_user", "select * from t where owner = current_user()"},
      {"select * from t where owner = 'current_user'", "select * from t where owner = 'current_user'"},
      {"insert into t (owner) values (current_user)", "insert into t (owner) values (current_user())"},
  });
}

TEST_CASE("access: what the server shows of itself") {
  check({
      {"show subscriptions", ""},
      {"show limits", ""},
      {"show bindings", ""},
      {"show",
       "expected `tables`, `queues`, `subscriptions`, `bindings`, `limits`, `users` or `grants`, found end of "
       "statement at "
       "offset 4"},
  });
}

TEST_CASE("subscriptions: positions") {
  check({
      {"subscribe * from t with seq", ""},
      {"subscribe skip a, b from t where a = with with seq", ""},
      {"subscribe * from t where a > 1 since 9007199254740991", ""},
      {"subscribe * from t since 5 on slow drop with seq", "subscribe * from t on slow drop with seq since 5"},
      {"subscribe count(*) from t group by a with seq", ""},
      {"subscribe * from since since 0", "subscribe * from `since` since 0"},
      {"execute immediate 'subscribe * from t where a = ? since ?' using 'x', 7",
       "subscribe * from t where a = x since 7"},
      {"subscribe * from t with", "expected `seq`, found end of statement at offset 23"},
      {"subscribe * from t since",
       "expected a change number, 0 or greater, as the server told it in `seq`, found end of statement at offset 24"},
      {"subscribe * from t since -1",
       "expected a change number, 0 or greater, as the server told it in `seq`, found `-1` at offset 25"},
      {"subscribe * from t since 18446744073709551616",
       "expected a change number, 0 or greater, as the server told it in `seq`, found `18446744073709551616` at offset "
       "25"},
      {"subscribe * from t since 1 since 2", "expected end of statement, found `since` at offset 27"},
      {"alter table t set history = on", ""},
      {"alter table t set history=OFF", "alter table t set history = off"},
      {"alter table t set history = default", ""},
      {"alter table t set history = 60 seconds 1000 bytes", "alter table t set history = 1000 bytes 60 seconds"},
      {"alter table t set history = 60", "expected `bytes` or `seconds`, found end of statement at offset 30"},
      {"alter table t set history = 1 bytes 2 bytes", "expected `seconds`, found `bytes` at offset 38"},
      {"alter table t set history = 1.5 bytes",
       "expected a whole number before `bytes` or `seconds`, found `bytes` at offset 32"},
      {"alter table t set now", "expected `ack` or `history`, found `now` at offset 18"},
  });
}

TEST_CASE("subscriptions: names") {
  check({
      {"subscribe * from t as s", ""},
      {"subscribe skip a from t where b = as as s on slow drop with seq",
       "subscribe skip a from t where b = as on slow drop with seq as s"},
      {"subscribe * from as as as", "subscribe * from `as` as `as`"},
      {"subscribe count(*) from t group by a as `x y`", ""},
      {"explain subscribe * from t as s", ""},
      {"subscribe * from t as", "expected the name of a subscription, found end of statement at offset 21"},
      {"subscribe * from t as 's'", "expected the name of a subscription, found `'s'` at offset 22"},
      {"subscribe * from t as s as r", "expected end of statement, found `as` at offset 24"},
      {"subscribe * from t as s since 5",
       "expected end of statement, as the server keeps the position of a named subscription, found `since` at offset "
       "24"},
      {"subscribe * from t since 5 as s",
       "expected end of statement, as the server keeps the position of a named subscription, found `as` at offset 27"},
      {"ack s 9007199254740991", ""},
      {"ack s on t 5", ""},
      {"stream ack `on` on on 5", "stream ack `on` on `on` 5"},
      {"ack s on t",
       "expected a change number, 0 or greater, as the server told it in `seq`, found end of statement at offset 10"},
      {"ack s on t 5, 6", "expected end of statement, found `,` at offset 12"},
      {"ack", "expected the name of a queue or of a subscription, found end of statement at offset 3"},
      {"drop subscription s", ""},
      {"drop subscription subscription on on", "drop subscription `subscription` on `on`"},
      {"drop subscription", "expected the name of a subscription, found end of statement at offset 17"},
  });
}

TEST_CASE("access: what becomes of a slow subscriber") {
  check({
      {"subscribe * from t on slow conflate", ""},
      {"subscribe a from t where b > 1 order by a limit 3 on slow drop", ""},
      {"subscribe * from t where a = on on slow disconnect", ""},
      {"subscribe * from t on slow down", "expected `disconnect`, `conflate` or `drop`, found `down` at offset 27"},
  });
}
