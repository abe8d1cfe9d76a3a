// Subscriptions with a name, which keep their position.

#include "storage/named_subscriptions.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/table.hpp"
#include "tests/unit/storage/engine_driver.hpp"

using namespace pubsubsql::storage;
using pubsubsql::access::user_rights;

namespace {

using texts = std::vector<std::string>;

/// The table, and the named subscriptions to it.
std::string state(engine_driver& e) {
  const table* t = e.engine().find("t");
  if (t == nullptr) return "no table";
  std::string all = dump(*t);
  for (const auto& [name, s] : t->named()) all += pack(s.what) + "\n";
  return all;
}

std::optional<std::uint64_t> position(engine_driver& e, const std::string& name = "s") {
  return e.engine().find("t")->named().find(name)->second.what.position;
}

}  // namespace

TEST_CASE("named subscriptions: an acknowledgement has no number of its own") {
  engine_driver e;
  CHECK(e.run("subscribe * from t as s", 7).starts_with("subscribe 1"));
  CHECK(e.changes() == texts{"1 create_table t", "2 add_subscription s", "3 set_history"});
  CHECK_FALSE(position(e));
  CHECK(e.run("ack s on t 2") == "ack");
  CHECK(e.changes() == texts{"3 acknowledge s"});
  CHECK(e.run("ack s on t 1") == "ack");
  CHECK(e.changes().empty());
  CHECK(position(e) == 2);
  CHECK(e.run("ack s on t 4").starts_with("error: subscription s cannot be acknowledged up to 4: the last change"));
  CHECK(e.run("insert into t (a) values (1)") == "insert 1");
  CHECK(e.changes() == texts{"4 add_column a", "5 insert_row 0,1"});
  CHECK(e.run("ack s on t 5") == "ack");
  CHECK(e.run("subscribe * from t as s", 8) == "subscribe 2");
  CHECK(e.run("insert into t (a) values (2)") == "insert 1");
  CHECK(e.events() == texts{"s8/2 insert id,a: 1,2"});
  CHECK(e.run("ack other on t 1").starts_with("error: there is no subscription other"));
  CHECK(e.run("drop subscription s on t") == "drop");
  CHECK(e.changes() == texts{"7 drop_subscription s"});
  CHECK(e.engine().find("t")->subscribers().size() == 0);
}

TEST_CASE("named subscriptions: what was taken back is as before") {
  engine_driver e;
  std::minstd_rand random(7);
  const auto pick = [&](const texts& of) { return of[random() % of.size()]; };
  for (int i = 0; i < 2'000; ++i) {
    const std::string name = pick({"r", "s", "`a b`"});
    const std::string statement =
        pick({"subscribe skip * from t where a > 1 as " + name, "subscribe * from t where a > 1 as " + name,
              "drop subscription " + name + " on t", "ack " + name + " on t " + std::to_string(random() % 9),
              "insert into t (a) values (1)", "create table if not exists t (a int)", "drop table if exists t"});
    const std::string before = state(e);
    static_cast<void>(e.run(statement));
    if (e.kept() == nullptr) continue;
    const auto changes = e.kept();
    std::string journalled;
    changes->encode(journalled);
    const auto read = durable::statement_changes::decode(journalled);
    REQUIRE_MESSAGE(read != nullptr, statement);
    CHECK(read->sequence() == changes->sequence());
    const auto acknowledges = [](const change& c) { return c.kind == change_kind::acknowledge; };
    CHECK(read->is_acknowledgement() == std::ranges::all_of(changes->changes(), acknowledges));
    if (random() % 2 == 0) continue;
    e.engine().undo("t", changes->changes());
    REQUIRE_MESSAGE(state(e) == before, statement);
  }
}

TEST_CASE("named subscriptions: limits") {
  limits few;
  few.named_subscriptions_max = 1;
  engine_driver e(few);
  CHECK(e.run("subscribe * from t as pubsubsql_s").starts_with("error: "));
  CHECK(e.run("subscribe a from t as s").starts_with("error: column a does not exist"));
  CHECK(state(e) == "no table");
  CHECK(e.run("subscribe * from t as s").starts_with("subscribe"));
  CHECK(e.run("subscribe * from t as r").starts_with("error: table t has 1 named subscriptions"));
}

TEST_CASE("named subscriptions: packed and read back") {
  const subscription_description s{
      .name = "1:", .owner = "", .statement = "subscribe * from `:`", .guarded = "x", .position = 0};
  CHECK(unpack_subscription(pack(s)) == s);
  subscription_description unacknowledged = s;
  unacknowledged.position.reset();
  CHECK(unpack_subscription(pack(unacknowledged)) == unacknowledged);
  const std::string whole = pack(s);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    CHECK_FALSE(unpack_subscription(std::string_view(whole).substr(0, bytes)));
  }
  CHECK_FALSE(unpack_subscription(whole + "x"));
  CHECK(unpack_acknowledgement(pack(acknowledgement{.name = "s", .before = {}, .position = 5}))->position == 5);
}
