#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "tools/bench/framed_client.hpp"
#include "tools/bench/sample_rows.hpp"
#include "tools/bench/workload.hpp"

namespace bench {

/// How much of a store's speed is left with the server before it: the same rows through the server and by a bare loop,
/// round after round, by turns.
class write_through : public workload {
 public:
  [[nodiscard]] std::string name() const override { return "write-through"; }
  [[nodiscard]] std::string description() const override {
    return "Changes written through to MySQL and to a data directory, against bare loops";
  }
  void add_options(CLI::App& to) override;
  void run(report& out) override;

 private:
  using step = std::function<void()>;

  /// A process whose processor time is told beside a rate.
  struct measured_process {
    std::string name;
    pid_t id;
  };

  void prepare();
  /// One round each; the peers take turns in going first.
  void run_mysql(report& out, unsigned round);
  void run_collapsing(report& out);
  void run_lone_client(report& out, unsigned round);
  void run_sqlite(report& out, unsigned round);

  void clear_mysql();
  /// What is measured besides this program, as far as it runs on this machine; `server` is -1 when it takes no part.
  [[nodiscard]] std::vector<measured_process> others(pid_t server) const;
  /// Without `others` nobody's processor time is told.
  void time(report& out, const std::string& rate, std::size_t operations, const step& work,
            std::span<const measured_process> others = {});
  [[nodiscard]] bool wants(const std::string& part) const;

  /// One script for each connection, which together have the `stream` statements for all rows and at the end of each
  /// one that is not a `stream` statement and so waits for the commit of what was before it.
  [[nodiscard]] std::vector<script> scripts(const std::string& before, const std::string& table,
                                            std::string (*clause)(const std::string&, const sample_row&),
                                            const std::vector<sample_row>& rows) const;
  static void run_all(const std::vector<script>& scripts, std::uint16_t port);

  std::string mysql_;
  std::string server_ = "build/release/pubsubsqld";
  std::size_t rows_ = 500'000;
  std::size_t hot_updates_ = 1'000'000;
  std::size_t lone_commits_ = 500;
  unsigned rounds_ = 5;
  unsigned connections_ = 4;
  std::string directory_ = "/tmp";
  std::vector<std::string> parts_ = {"mysql", "collapsing", "lone", "sqlite"};

  std::vector<sample_row> inserted_;
  std::vector<sample_row> updated_;
  std::vector<script> insert_scripts_;
  std::vector<script> update_scripts_;
  std::vector<script> hot_scripts_;
};

}  // namespace bench
