// Statements that declare tables, columns and indexes; transactions; explain.

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "parser/parser.hpp"
#include "parser/print.hpp"
#include "tests/unit/parser/examples.hpp"

using namespace pubsubsql::parser;

TEST_CASE("schema: create table") {
  check({
      {"create table t (id bigint auto_increment primary key, name varchar(20) not null default 'x')",
       "create table t (id bigint auto_increment, name varchar(20) not null default x, primary key (id))"},
      {"create table if not exists t (a decimal( 10,2 ) unsigned, b enum('x','y, z'), c double precision, d)", ""},
      {"create table t (a int unique, b int unique key, c int key, d int index)",
       "create table t (a int, b int, c int, d int, unique key (a), unique key (b), primary key (c), key (d))"},
      {"create table t (a int, b int, primary key (a, b), unique (b), unique index i (a), key (a), index `j k` (b "
       "desc))",
       "create table t (a int, b int, primary key (a, b), unique key (b), unique key i (a), key (a), key `j k` (b))"},
      {"create table t (a int, constraint c unique (a), constraint primary key (a) using btree)",
       "create table t (a int, unique key c (a), primary key (a))"},
      {"create table t (a datetime(3) default now(3), b timestamp null default current_timestamp, c default (1 + 2))",
       "create table t (a datetime(3) default now(3), b timestamp default current_timestamp(), c default 1 + 2)"},
      {"create table t (a int default -1, b default 'current_timestamp', c default null, d default 5 % 3 not null)",
       "create table t (a int default -1, b default 'current_timestamp', c default null, d not null default 5 % 3)"},
      {"create table t (a varchar(20) character set utf8mb4 collate utf8mb4_bin comment 'it''s')",
       "create table t (a varchar(20))"},
      {"create table t (a int) engine=InnoDB default charset = utf8mb4 collate utf8mb4_bin auto_increment=5 "
       "comment='x'",
       "create table t (a int)"},
      {"create table t (key varchar(255), index text, `primary` int, unique)",
       "create table t (`key` varchar(255), `index` text, `primary` int, `unique`)"},
      {"create table if (a)", "create table `if` (a)"},
      {"create table t", "expected `(` and columns, found end of statement at offset 14"},
      {"create table t ()", "expected a column name, found `)` at offset 16"},
      {"create table t (a foo bar)", "expected an attribute of the column, `,` or `)`, found `bar` at offset 22"},
      {"create table t (a varchar(x))", "expected a number or a text, found `x` at offset 26"},
      {"create table t (a int not)", "expected `null`, found `)` at offset 25"},
      {"create table t (a int) tablespace x",
       "expected `engine`, `default charset`, `collate`, `comment` or end of statement, found `tablespace` at offset "
       "23"},
      {"create t", "expected `table`, `queue`, `index`, `unique index` or `user`, found `t` at offset 7"},
  });
}

TEST_CASE("schema: tables and columns change and go") {
  check({
      {"drop table t", ""},
      {"drop table if exists t", ""},
      {"drop table if", "drop table `if`"},
      {"truncate t", "truncate table t"},
      {"truncate table t", ""},
      {"truncate table", "truncate table `table`"},
      {"alter table t add column c int not null default 5 primary key", ""},
      {"alter table t add c unique", "alter table t add column c unique key"},
      {"alter table t add c index", "alter table t add column c index"},
      {"alter table t add key varchar(5)", "alter table t add column `key` varchar(5)"},
      {"alter table t drop column c", ""},
      {"alter table t drop c", "alter table t drop column c"},
      {"alter table t drop key", "alter table t drop column `key`"},
      {"alter table t rename x", "expected `add`, `drop` or `set`, found `rename` at offset 14"},
      {"drop t", "expected `table`, `queue`, `index`, `subscription`, `user` or `prepare`, found `t` at offset 5"},
  });
}

TEST_CASE("schema: indexes") {
  check({
      {"create index i on t (a, b)", ""},
      {"create unique index `i j` on t (a)", ""},
      {"alter table t add unique index i (a, b)", "create unique index i on t (a, b)"},
      {"alter table t add index (a)", "alter table t add key (a)"},
      {"alter table t add primary key (a, b)", ""},
      {"drop index i on t", ""},
      {"alter table t drop key i", "drop index i on t"},
      {"alter table t drop primary key", "drop index `PRIMARY` on t"},
      {"create index on t (a)", "expected `on`, found `t` at offset 16"},
      {"create index i on t ()", "expected a column name, found `)` at offset 21"},
      {"create unique i on t (a)", "expected `index`, found `i` at offset 14"},
      {"drop index i", "expected `on`, found end of statement at offset 12"},
  });
}

TEST_CASE("transactions and explain") {
  check({
      {"begin", ""},
      {"begin work", "begin"},
      {"start transaction", "begin"},
      {"commit work", "commit"},
      {"stream rollback;", "stream rollback"},
      {"start", "expected `transaction`, found end of statement at offset 5"},
      {"commit now", "expected end of statement, found `now` at offset 7"},
      {"explain select * from t where a > 1 order by b", ""},
      {"explain update t set a = 1 where b = 2", ""},
      {"desc delete from t", "explain delete from t"},
      {"describe subscribe * from t where a > 1", "explain subscribe * from t where a > 1"},
      {"explain t", "describe t"},
      {"explain select", "describe `select`"},
      {"explain insert into t (a) values (1)", "expected end of statement, found `into` at offset 15"},
  });
}
