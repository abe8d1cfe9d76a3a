#include "server/binding_directory.hpp"

#include <doctest/doctest.h>

using namespace pubsubsql::server;

namespace {

using names = std::vector<std::string>;

void bind(binding_directory& d, const std::string& table, const names& queues) {
  std::vector<pubsubsql::storage::binding> all;
  for (const std::string& queue : queues) {
    all.push_back({.what = {.queue = queue, .where = {}},
                   .number = 0,
                   .copied = std::make_shared<std::atomic<std::uint64_t>>(0)});
  }
  d.set(table, all);
}

}  // namespace

TEST_CASE("binding directory: circles are found, also among bindings that are being made") {
  binding_directory d;
  CHECK(d.version() == 0);
  CHECK_FALSE(d.claim("a", "a"));
  bind(d, "a", {"b"});
  bind(d, "b", {"c"});
  CHECK_FALSE(d.claim("c", "a"));
  CHECK_FALSE(d.claim("b", "a"));
  const auto first = d.claim("a", "c");
  const auto second = d.claim("c", "d");
  REQUIRE(first);
  REQUIRE(second);
  CHECK(*second > *first);
  CHECK_FALSE(d.claim("d", "a"));
  d.set("c", {});
  CHECK(d.claim("d", "a"));
}

TEST_CASE("binding directory: ranks rise along every way") {
  binding_directory d;
  bind(d, "a", {"z", "b"});
  bind(d, "b", {"c"});
  bind(d, "c", {"z"});
  const auto graph = d.look();
  CHECK(graph->rank_of("a") == 0);
  CHECK(graph->rank_of("b") == 1);
  CHECK(graph->rank_of("c") == 2);
  CHECK(graph->rank_of("z") == 3);
  CHECK(graph->rank_of("other") == 0);
  CHECK(graph->is_source("c"));
  CHECK_FALSE(graph->is_source("z"));
  CHECK(graph->is_bound("a", "z"));
  CHECK_FALSE(graph->is_bound("a", "c"));
  names reachable;
  graph->append_reachable("b", reachable);
  CHECK(reachable == names{"c", "z"});
}

TEST_CASE("binding directory: a circle from elsewhere does no harm") {
  binding_directory d;
  bind(d, "a", {"b"});
  bind(d, "b", {"a"});
  names reachable;
  d.look()->append_reachable("a", reachable);
  CHECK(reachable == names{"b", "a"});
}

TEST_CASE("binding directory: a queue that is dropped") {
  binding_directory d;
  bind(d, "a", {"q", "q", "r"});
  bind(d, "b", {"q"});
  const auto claimed = d.claim("c", "q");
  binding_view view(d);
  CHECK(view.get().is_bound("a", "q"));
  const auto forgotten = d.forget_queue("q");
  CHECK(forgotten.tables.size() == 2);
  CHECK(forgotten.until == *claimed);
  CHECK_FALSE(view.get().is_bound("a", "q"));
  CHECK(view.get().is_bound("a", "r"));
  CHECK_FALSE(view.get().is_source("b"));
  CHECK(d.list().size() == 1);
  const auto version = d.version();
  CHECK(d.forget_queue("q").tables.empty());
  CHECK(d.version() == version);
}
