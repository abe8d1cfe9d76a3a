#include "storage/access/users_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "parser/parser.hpp"
#include "storage/access/password.hpp"
#include "tests/unit/scratch_directory.hpp"

using namespace pubsubsql::access;

namespace {

const std::string& a_hash() {
  static const std::string hash = *hash_password("secret");
  return hash;
}

std::string create(const std::string& name) {
  return "create user '" + name + "' identified by password '" + a_hash() + "'";
}

std::string change(user_list& users, std::string_view sql) {
  pubsubsql::parser::statement_arena arena;
  const auto parsed = pubsubsql::parser::parse(sql, arena);
  REQUIRE(parsed);
  return users.apply(*parsed).value_or("");
}

std::string wrong_with(std::string_view text) {
  const auto read = parse_users(text, "users");
  return read ? "" : read.error();
}

}  // namespace

TEST_CASE("users file: a hash that takes too much to verify is none") {
  CHECK(is_password_hash(a_hash()));
  const std::string rest = "$LPw2byN3csMiktyU55a2YQ$56UTU+e/vJqBRW/FGJYnR35pjwPB6oPzPzfd11m87qU";
  CHECK(is_password_hash("$argon2id$v=19$m=262144,t=10,p=1" + rest));
  CHECK_FALSE(is_password_hash("$argon2id$v=19$m=262145,t=1,p=1" + rest));
  CHECK_FALSE(is_password_hash("$argon2id$v=19$m=65536,t=11,p=1" + rest));
  CHECK_FALSE(is_password_hash("$argon2id$v=19$m=65536,t=2,p=2" + rest));
  CHECK_FALSE(is_password_hash("$argon2i$v=19$m=65536,t=2,p=1" + rest));
}

TEST_CASE("users file: what is written is read") {
  const pubsubsql::test::scratch_directory folder;
  const std::string path = std::filesystem::path(folder.path()) / "users";
  user_list users;
  CHECK(change(users, create("web")).empty());
  CHECK(change(users, create("o''neill")).empty());
  CHECK(change(users, "grant select, update on t to web where owner = current_user and open = 1").empty());
  CHECK(change(users, "grant all on * to 'o''neill'").empty());
  CHECK(change(users, "grant admin to web").empty());
  CHECK(change(users, "grant select on `two\nlines` to web").find("control characters") != std::string::npos);
  const auto stamp = write_users(path, users);
  REQUIRE(stamp);
  struct stat s {};
  REQUIRE(::stat(path.c_str(), &s) == 0);
  CHECK((s.st_mode & 0777) == 0600);
  const auto read = read_users(path);
  REQUIRE(read);
  CHECK(read->stamp == *stamp);
  CHECK(print_users(read->list) == print_users(users));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  const auto again = write_users(path, users);
  CHECK(*again != *stamp);
}

TEST_CASE("users file: others must not see it") {
  const pubsubsql::test::scratch_directory folder;
  const std::string path = std::filesystem::path(folder.path()) / "users";
  std::ofstream(path) << create("web") << '\n';
  ::chmod(path.c_str(), 0644);
  CHECK(read_users(path).error() == path + " can be read or written by others than its owner; do chmod 600 " + path);
  ::chmod(path.c_str(), 0640);
  CHECK(read_users(path));
  CHECK(read_users(std::filesystem::path(folder.path()) / "none").error().find("No such file") != std::string::npos);
  CHECK(read_users(folder.path()).error().find("is not a file") != std::string::npos);
}

TEST_CASE("users file: comments, and mistakes with their lines") {
  CHECK(wrong_with("# a\n\n  -- b\r\n" + create("web") + ";\r\n grant select on t to web").empty());
  CHECK(wrong_with("\nflush tables") ==
        "users:2: expected a statement such as insert, select, update, delete or subscribe at byte 1 of the line");
  CHECK(wrong_with("grant select on t to web").starts_with("users:1: there is no user 'web'"));
  CHECK(wrong_with("status") == "users:1: only create user, alter user, drop user, grant and revoke are about users");
  CHECK(wrong_with("create user web identified by secret").starts_with("users:1: the password has to be a hash"));
  CHECK(wrong_with(create("web") + "\n" + create("web")).starts_with("users:2: there is a user 'web' already"));
}

TEST_CASE("users: granting and revoking") {
  user_list users;
  REQUIRE(change(users, create("web")).empty());
  CHECK(change(users, "grant select on t to web").empty());
  CHECK(change(users, "grant insert on t to web").empty());
  CHECK(change(users, "grant update on t to web where a = 1").empty());
  CHECK(grants_of(*users.find("web")) ==
        std::vector<std::string>{"grant select, insert on t to 'web'", "grant update on t to 'web' where a = 1"});
  CHECK(change(users, "revoke select, update on t from web").empty());
  CHECK(grants_of(*users.find("web")) == std::vector<std::string>{"grant insert on t to 'web'"});
  CHECK(change(users, "revoke select on t from web").starts_with("there is no such grant"));
  CHECK(change(users, "revoke insert on u from web").starts_with("there is no such grant"));
  CHECK(change(users, "grant all on t to web where a = 1").starts_with("create is about a table"));
  CHECK(change(users, "grant select on t to web where a in (select b from u)").starts_with("what a row must meet"));
  CHECK(change(users, "grant select on t to web where a = 'x\ny'").starts_with("a where must be one line"));
  CHECK(change(users, "drop user nobody").starts_with("there is no user 'nobody'"));
  CHECK(change(users, "drop user web").empty());
  CHECK(users.users().empty());
}

TEST_CASE("users: another one of the same name is another user") {
  user_list users;
  REQUIRE(change(users, create("web")).empty());
  const std::uint64_t first = users.find("web")->identity;
  REQUIRE(change(users, create("other")).empty());
  CHECK(users.find("other")->identity != first);
  REQUIRE(change(users, "grant select on t to web").empty());
  REQUIRE(change(users, "alter user 'web' identified by password '" + a_hash() + "'").empty());
  CHECK(users.find("web")->identity == first);
  auto read = parse_users(print_users(users), "users");
  REQUIRE(read);
  REQUIRE(change(*read, create("new")).empty());
  read->keep_identities_of(users);
  CHECK(read->find("web")->identity == first);
  CHECK(read->find("other")->identity == users.find("other")->identity);
  CHECK(read->find("new")->identity > users.find("other")->identity);
  REQUIRE(change(users, "drop user web").empty());
  REQUIRE(change(users, create("web")).empty());
  CHECK(users.find("web")->identity != first);
}

TEST_CASE("passwords") {
  CHECK(verify_password(a_hash(), "secret"));
  CHECK_FALSE(verify_password(a_hash(), "Secret"));
  CHECK(is_password_hash(a_hash()));
  CHECK_FALSE(is_password_hash("$argon2id$"));
  CHECK_FALSE(is_password_hash("secret"));
  CHECK(password_problem("").has_value());
  CHECK(password_problem(std::string(password_bytes_max + 1, 'x')).has_value());
  CHECK_FALSE(password_problem("x").has_value());
}
