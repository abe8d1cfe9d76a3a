// What the embedded store says of changes that it cannot write.

#include "storage/durable/sqlite_store.hpp"

#include <csignal>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sys/resource.h>

#include "tests/unit/scratch_directory.hpp"
#include "tests/unit/storage/engine_driver.hpp"

using namespace pubsubsql::storage;
using namespace pubsubsql::storage::durable;
using pubsubsql::test::scratch_directory;

namespace {

std::shared_ptr<const statement_changes> insert_into(const std::string& table) {
  engine_driver e;
  static_cast<void>(e.run("insert into " + table + " (a) values (1)"));
  return e.kept();
}

/// No file takes another byte while it lives.
class full_disk {
 public:
  full_disk() : before_signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &none) == 0);
  }
  ~full_disk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_signal_);
  }
  full_disk(const full_disk&) = delete;
  full_disk& operator=(const full_disk&) = delete;

 private:
  rlimit before_{};
  void (*before_signal_)(int);
};

}  // namespace

TEST_CASE("sqlite store: a change that was taken back is not refused once more") {
  constexpr std::uint32_t a = 0;
  constexpr std::uint32_t b = 1;
  const scratch_directory at;
  const auto into_a = insert_into("a");
  const auto into_b = insert_into("b");
  const auto awaited = [](const auto& changes, std::uint32_t queue, std::uint64_t ticket, std::uint32_t epoch) {
    return durable::write{
        .changes = changes, .origin = {.worker = 0, .queue = queue, .ticket = ticket}, .epoch = epoch};
  };
  std::vector<std::string> got;
  std::promise<void> all;
  sqlite_store store(at.path(), {.always_retry = false, .transaction_bytes_max = 1});
  {
    const full_disk full;
    store.start([&](unsigned, std::vector<write_result>& results) {
      for (const write_result& r : results) {
        CHECK(r.what == write_result::fate::refused);
        got.push_back((r.origin.queue == a ? "a" : "b") + std::to_string(r.origin.ticket));
      }
      if (got.back() == "a3") return all.set_value();
      if (got.size() > 1) return;
      // a2 was under way when the worker took it back together with a1; it sends a3 in its place.
      std::vector<durable::write> more = {awaited(into_b, b, 1, 0), awaited(into_a, a, 2, 0), awaited(into_a, a, 3, 1)};
      store.submit(more);
    });
    std::vector<durable::write> first = {awaited(into_a, a, 1, 0)};
    store.submit(first);
    all.get_future().wait();
    store.stop();
  }
  CHECK(got == std::vector<std::string>{"a1", "b1", "a3"});
  CHECK(store.queued_writes() == 0);
}
