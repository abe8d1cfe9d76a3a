#include "storage/durable/write_queue.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/storage/engine_driver.hpp"

using namespace pubsubsql::storage;
using durable::write_queue;

namespace {

std::shared_ptr<const durable::statement_changes> some_changes() {
  engine_driver e;
  static_cast<void>(e.run("insert into t (a) values (1)"));
  return e.kept();
}

std::vector<durable::write> writes(std::uint64_t first, std::uint64_t last) {
  static const auto changes = some_changes();
  std::vector<durable::write> made;
  for (std::uint64_t ticket = first; ticket <= last; ++ticket) {
    made.push_back({.changes = changes, .origin = {.worker = 0, .queue = 0, .ticket = ticket}});
  }
  return made;
}

std::string tickets(const std::vector<durable::write>& all) {
  std::string out;
  for (const durable::write& w : all) out += std::to_string(w.origin.ticket) + " ";
  return out;
}

void push(write_queue& q, std::uint64_t first, std::uint64_t last) {
  auto made = writes(first, last);
  q.push(made);
  CHECK(made.empty());
}

}  // namespace

TEST_CASE("write queue: takes in order, up to some bytes, at least one") {
  const std::size_t bytes = writes(1, 1).front().changes->memory_bytes();
  write_queue q;
  push(q, 1, 5);
  CHECK(q.size() == 5);
  CHECK(q.bytes() == 5 * bytes);
  auto first = q.pop(0);
  REQUIRE(first);
  CHECK(tickets(first->writes) == "1 ");
  auto second = q.pop(2 * bytes);
  CHECK(tickets(second->writes) == "2 3 ");
  auto rest = q.pop(1'000'000);
  CHECK(tickets(rest->writes) == "4 5 ");
  CHECK(q.bytes() == 5 * bytes);  // taken is not done
  q.done(first->writes);
  q.done(second->writes);
  q.done(rest->writes);
  CHECK(q.bytes() == 0);
  CHECK(q.size() == 0);
}

TEST_CASE("write queue: what is put back comes first") {
  write_queue q;
  push(q, 1, 2);
  auto taken = q.pop(1'000'000);
  push(q, 3, 3);
  q.push_front(taken->writes);
  CHECK(taken->writes.empty());
  CHECK(q.size() == 3);
  CHECK(tickets(q.pop(1'000'000)->writes) == "1 2 3 ");
}

TEST_CASE("write queue: jobs come after the writes that were there before") {
  write_queue q;
  push(q, 1, 2);
  int done = 0;
  q.push_job([&] { ++done; });
  CHECK(q.pop(0)->jobs.empty());
  const auto last = q.pop(0);
  CHECK(tickets(last->writes) == "2 ");
  REQUIRE(last->jobs.size() == 1);
  last->jobs.front()();
  CHECK(done == 1);
  q.push_job([&] { ++done; });
  CHECK(q.pop(0)->jobs.size() == 1);  // alone
}

TEST_CASE("write queue: closed it still gives what it has, and then nothing") {
  write_queue q;
  push(q, 1, 1);
  q.push_job([] {});
  q.close();
  CHECK(q.closed());
  const auto last = q.pop(1'000'000);
  REQUIRE(last);
  CHECK(last->writes.size() == 1);
  CHECK(last->jobs.size() == 1);
  CHECK_FALSE(q.pop(1'000'000));
  CHECK_FALSE(q.pop(1'000'000, std::chrono::milliseconds(1)));
}

TEST_CASE("write queue: waits no longer than asked") {
  write_queue q;
  const auto nothing = q.pop(1'000'000, std::chrono::milliseconds(1));
  REQUIRE(nothing);
  CHECK(nothing->writes.empty());
  CHECK(nothing->jobs.empty());
}

TEST_CASE("write queue: writers on several threads, each in its order") {
  write_queue q;
  constexpr std::uint64_t each = 2'000;
  std::vector<std::thread> writers;
  for (unsigned worker = 0; worker < 3; ++worker) {
    writers.emplace_back([&q, worker] {
      for (std::uint64_t ticket = 1; ticket <= each; ++ticket) {
        auto one = writes(ticket, ticket);
        one.front().origin.worker = worker;
        q.push(one);
      }
    });
  }
  std::vector<std::uint64_t> last(3, 0);
  for (std::size_t seen = 0; seen < 3 * each;) {
    const auto batch = q.pop(10'000);
    for (const durable::write& w : batch->writes) CHECK(w.origin.ticket == ++last[w.origin.worker]);
    seen += batch->writes.size();
    q.done(batch->writes);
  }
  for (std::thread& t : writers) t.join();
  CHECK(q.bytes() == 0);
}
