#include "server/limits.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <doctest/doctest.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "server/config_check.hpp"
#include "server/connection_origins.hpp"
#include "server/limit_counters.hpp"
#include "server/memory_watch.hpp"

using namespace pubsubsql::server;

TEST_CASE("limits: each has a flag of its own, and what is set is read") {
  std::set<std::string_view> flags;
  for (const limit_facts& l : all_limits()) {
    INFO(std::string(l.flag));
    CHECK(flags.insert(l.flag).second);
    CHECK(all_limits()[place_of_limit(l.flag)].flag == l.flag);
    options o;
    CHECK(l.get(o) >= l.least);
    CHECK(l.get(o) <= l.most);
    l.set(o, l.least + 1);
    CHECK(l.get(o) == l.least + 1);
  }
  CHECK(place_of_limit("no-such-limit") == all_limits().size());
}

TEST_CASE("limits: refusals and peaks are counted") {
  limit_counters counters;
  const std::size_t place = place_of_limit("max-connections");
  counters.refused("max-connections");
  counters.refused("max-connections");
  counters.refused("no-such-limit");
  CHECK(counters.refusals(place) == 2);
  for (const std::uint64_t now : {3U, 9U, 4U}) counters.in_use(place, now);
  CHECK(counters.peak(place) == 9);
  CHECK(counters.refusals(place_of_limit("max-tables")) == 0);
}

TEST_CASE("origins: an IPv4 address, or the network of an IPv6 address") {
  CHECK(origin_of("127.0.0.1:80") == "127.0.0.1");
  CHECK(origin_of("[::ffff:10.0.0.1]:80") == "10.0.0.1");
  CHECK(origin_of("[2001:db8:1:2:3:4:5:6]:80") == "2001:db8:1:2::/64");
  CHECK(origin_of("[2001:db8:1:2:ffff::1]:4711") == "2001:db8:1:2::/64");
  CHECK(origin_of("[::1]:1") == "::/64");
}

TEST_CASE("origins: connections are counted where they come from") {
  connection_origins origins;
  CHECK(origins.add("10.0.0.1:1", 2));
  CHECK(origins.add("10.0.0.1:2", 2));
  CHECK_FALSE(origins.add("10.0.0.1:3", 2));
  CHECK(origins.add("10.0.0.2:3", 2));
  CHECK(origins.most() == 2);
  origins.remove("10.0.0.1:1");
  CHECK(origins.add("10.0.0.1:4", 2));
  for (int i = 0; i < 100; ++i) CHECK(origins.add("10.0.0.3:1", 0));
  CHECK(origins.most() == 100);
}

TEST_CASE("memory: beyond the limit until a twentieth of it is free") {
  spdlog::set_level(spdlog::level::off);
  memory_watch watch(1000);
  CHECK(watch.has_limit());
  struct step {
    std::uint64_t used;
    std::uint64_t exceeded;
  };
  for (const step& s : {step{1000, 0}, {1001, 1000}, {999, 1000}, {950, 1000}, {949, 0}, {1000, 0}, {5000, 1000}}) {
    watch.look(s.used);
    CHECK(watch.exceeded() == s.exceeded);
  }
  CHECK_FALSE(memory_watch(0).has_limit());
  CHECK(resident_bytes() > (1U << 20));
  CHECK(memory_for_process() > resident_bytes());
}

TEST_CASE("configuration: what is wrong is found without starting") {
  const auto problem_with = [](const options& o) {
    for (const config_check check : config_checks()) {
      if (const auto found = check(o)) return *found;
    }
    return std::string();
  };
  const std::filesystem::path scratch =
      std::filesystem::temp_directory_path() / ("config_" + std::to_string(::getpid()));
  std::filesystem::create_directories(scratch / "data");
  options o;
  o.connections_max = 10;
  CHECK(problem_with(o).empty());
  o.bind = "nowhere";
  CHECK(problem_with(o).starts_with("--bind nowhere is not an IP address"));
  o.bind = "192.0.2.1";  // reserved for documents
  CHECK(problem_with(o).starts_with("--bind 192.0.2.1 would let others than this machine in"));
  o.insecure_no_auth = true;
  CHECK(problem_with(o).starts_with("--bind 192.0.2.1 cannot be listened on"));
  o.bind = "127.0.0.1";
  o.data_directory = scratch / "data";
  CHECK(problem_with(o).empty());
  o.data_directory = scratch / "data" / "made" / "later";
  CHECK(problem_with(o).empty());
  std::ofstream(scratch / "data" / "pubsubsql.db") << "no database";
  o.data_directory = scratch / "data";
  CHECK(problem_with(o).find("pubsubsql.db is not a SQLite database") != std::string::npos);
  o.data_directory = scratch / "data" / "pubsubsql.db";
  CHECK(problem_with(o).find("is not a directory") != std::string::npos);
  o.data_directory.clear();
  o.mysql_tables = "a,b";
  CHECK(problem_with(o).starts_with("--mysql-tables says what to take over"));
  o.mysql = "not an address";
  CHECK(problem_with(o).starts_with("--mysql: "));
  std::filesystem::remove_all(scratch);
}
