#include "server/file_descriptors.hpp"

#include <sys/resource.h>

namespace pubsubsql::server {

namespace {

/// Files beside clients' connections: the loops of up to 255 workers, SQLite's files, connections to MySQL, the log.
constexpr rlim_t other_files = 1024;

}  // namespace

std::optional<std::string> raise_file_limit(std::size_t connections) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return std::nullopt;
  rlimit raised = files;
  raised.rlim_cur = files.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) files = raised;
  if (files.rlim_cur == RLIM_INFINITY || files.rlim_cur >= connections + other_files) return std::nullopt;
  return "the system allows this process " + std::to_string(files.rlim_cur) + " open files, too few for " +
         std::to_string(connections) +
         " connections; raise the limit (ulimit -n, LimitNOFILE=), or lower --max-connections";
}

}  // namespace pubsubsql::server
