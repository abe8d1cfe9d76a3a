#include "storage/access/token.hpp"

#include <doctest/doctest.h>

#include "storage/access/password.hpp"
#include "storage/access/token_index.hpp"
#include "storage/access/users_file.hpp"

using namespace pubsubsql::access;

namespace {

constexpr std::int64_t day = 24 * 60 * 60;
const std::string line = "token for 'web' hash '" + std::string(64, 'a') + "' created '2026-11-21 21:40:00'";

std::string problem_with(std::string_view text) {
  std::string problem;
  CHECK_FALSE(parse_token(text, problem));
  return problem;
}

user_list web_with(const token& t) {
  const std::string user = "create user 'web' identified by password '" + *hash_password("secret") + "'";
  user_list users = *parse_users(user, "users");
  REQUIRE_FALSE(users.add_token("web", t));
  return users;
}

}  // namespace

TEST_CASE("tokens: their form") {
  const std::string made = *new_token();
  CHECK(is_token(made));
  CHECK(made.size() == 47);
  CHECK(made != *new_token());
  CHECK(password_problem(made));
  for (const std::string& other :
       {std::string("pst_"), made + "x", made.substr(1), "pst_" + std::string(42, 'a') + "+"}) {
    CHECK_FALSE_MESSAGE(is_token(other), other);
    CHECK_FALSE(password_problem(other));
  }
}

TEST_CASE("tokens: their hash") {
  const token_hash hash = hash_token("abc");
  CHECK(to_hex(hash) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hash_from_hex(to_hex(hash)) == hash);
  CHECK(are_equal(hash, hash_token("abc")));
  CHECK_FALSE(are_equal(hash, hash_token("abd")));
  CHECK_FALSE(hash_from_hex(to_hex(hash) + "00"));
  CHECK_FALSE(hash_from_hex(std::string(64, 'x')));
}

TEST_CASE("tokens: times") {
  CHECK(print_time(1'795'297'200) == "2026-11-21 21:40:00");
  CHECK(parse_time("2026-11-21 21:40:00") == 1'795'297'200);
  for (const char* other : {"", "2026-11-21", "2026-11-21 21:00:00Z", "2026-13-21 21:00:00", "soon"}) {
    CHECK_FALSE_MESSAGE(parse_time(other), other);
  }
}

TEST_CASE("tokens: a line is read as it is written") {
  for (const token& t :
       {token{.hash = hash_token("a"), .label = "", .created_s = day, .expires_s = 0},
        token{.hash = hash_token("b"), .label = "it's for c'i", .created_s = day, .expires_s = 2 * day}}) {
    const std::string written = print_token("o'neill", t);
    CHECK(begins_as_token(written));
    std::string problem;
    const auto read = parse_token(written, problem);
    REQUIRE_MESSAGE(read, problem);
    CHECK(read->user == "o'neill");
    CHECK(read->of_user == t);
  }
  CHECK_FALSE(begins_as_token("create user 'token'"));
}

TEST_CASE("tokens: what is wrong with a line is told without its hash") {
  std::string problem;
  CHECK(parse_token(line, problem));
  CHECK(problem_with("token") == "expected `for` at byte 6 of the line");
  CHECK(problem_with("token for 'web'") == "expected `hash` at byte 16 of the line");
  CHECK(problem_with("token for 'web' hash 'abc' created '2026-11-21 21:40:00'") ==
        "expected the SHA-256 of a token, 64 hexadecimal digits in quotes at byte 22 of the line");
  CHECK(problem_with(line + " until 'x'").starts_with("expected the end of the line at byte "));
  CHECK(problem_with(line + " expires 'x'").starts_with("expected a time such as '2026-11-21 21:40:00' at byte "));
  CHECK(problem_with("token for '\xff'") == "the line is not UTF-8");
}

TEST_CASE("tokens: those of a user") {
  const token first{.hash = hash_token("a"), .label = "ci", .created_s = day, .expires_s = 0};
  user_list users = web_with(first);
  CHECK(users.add_token("web", first)->starts_with("there is this token already"));
  CHECK(users.add_token("nobody", first)->starts_with("there is no user 'nobody'"));
  CHECK(users.add_token("web", {.hash = hash_token("b"), .label = std::string(65, 'x')})->starts_with("the label"));
  CHECK(users.add_token("web", {.hash = hash_token("b"), .label = "a\nb"})->starts_with("the label"));
  CHECK(print_users(*parse_users(print_users(users), "users")) == print_users(users));

  CHECK(users.remove_token("web", "")->starts_with("the user has no token ''"));
  CHECK(users.remove_token("web", id_of(first).substr(1))->starts_with("the user has no token"));
  CHECK_FALSE(users.remove_token("web", id_of(first)));
  CHECK(users.find("web")->tokens.empty());
  for (std::size_t i = 0; i < tokens_per_user_max; ++i) {
    CHECK_FALSE(users.add_token("web", {.hash = hash_token(std::to_string(i)), .label = ""}));
  }
  CHECK(users.add_token("web", first)->starts_with("the user has 100 tokens already"));
}

TEST_CASE("tokens: looking up") {
  const std::string secret = *new_token();
  const user_list users = web_with({.hash = hash_token(secret), .label = "", .created_s = day, .expires_s = 2 * day});
  const token_index index(users, day);
  const auto found = index.find(secret, day);
  REQUIRE(found);
  CHECK(found->user == "web");
  CHECK(index.has(found->number, day));
  CHECK(index.next_expiry() == 2 * day);
  CHECK_FALSE(index.find(*new_token(), day));
  CHECK_FALSE(index.find("", day));

  CHECK_FALSE(index.find(secret, 2 * day));
  CHECK_FALSE(index.has(found->number, 2 * day));
  const token_index later(users, 2 * day);
  CHECK_FALSE(later.find(secret, day));
  CHECK_FALSE(later.next_expiry());
}
