#pragma once

#include <cstdint>
#include <string>

#include <pubsubsql/client.hpp>

namespace demo {

struct pipeline_settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = pubsubsql::default_port;
  std::string program;  ///< to start workers with
  unsigned jobs = 10'000;
  unsigned workers = 4;
  unsigned kills = 20;
};

/// Makes the tables and the jobs, starts the workers, kills some of them on the way and starts others instead, gives
/// the jobs of the dead to the living, and at the end looks whether every job was done exactly once.
bool run_pipeline(const pipeline_settings& s);

}  // namespace demo
