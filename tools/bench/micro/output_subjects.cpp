// Outcomes to bytes.

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/connection_output.hpp"
#include "server/reply_encoder.hpp"
#include "tools/bench/micro/prepared_engine.hpp"
#include "tools/bench/micro/subject.hpp"

namespace micro {

using namespace pubsubsql;

namespace {

constexpr std::size_t operations = 1'000;
constexpr parser::wire_mode framed = parser::wire_mode::framed;

class encoding_reply : public subject {
 public:
  encoding_reply(std::size_t rows, const std::string& sql) : engine_(rows), outcome_(&engine_.run(sql)) {}
  void run(std::size_t times) override {
    for (; times > 0; --times) {
      out_.clear();
      server::encode_reply(out_, {.mode = framed, .request_id = 1}, *outcome_, lists_);
      unused_result = out_.size();
    }
  }

 private:
  prepared_engine engine_;
  const storage::outcome* outcome_;
  server::column_lists lists_;
  std::string out_;
};

/// An update and the event that somebody who watches the table gets.
class event_source {
 public:
  event_source() : engine_(1) {
    engine_.run("subscribe skip * from t");
    outcome_ = &engine_.run(update_of(0, 1));
  }
  void encode(server::encoded_event& out) { server::encode_event(out, *outcome_->about, outcome_->events[0], lists_); }

 private:
  prepared_engine engine_;
  const storage::outcome* outcome_ = nullptr;
  server::column_lists lists_;
};

class encoding_event : public subject {
 public:
  void run(std::size_t times) override {
    for (; times > 0; --times) {
      source_.encode(event_);
      out_.clear();
      server::append_event(out_, framed, event_, 12'345);
      unused_result = out_.size();
    }
  }

 private:
  event_source source_;
  server::encoded_event event_;
  std::string out_;
};

/// One event for the connections of so many subscribers, until all of it can be written. With `backlog` it is written
/// only after a hundred events, which join.
class delivering : public subject {
 public:
  delivering(std::size_t subscribers, std::size_t backlog) : backlog_(backlog) {
    for (std::size_t i = 0; i < subscribers; ++i) {
      outputs_.push_back(std::make_unique<server::connection_output>(pool_));
    }
  }
  void run(std::size_t times) override {
    for (; times > 0; --times) {
      source_.encode(event_);
      std::uint64_t pubsubid = 100'000;
      for (const auto& output : outputs_) output->append_event(framed, event_, ++pubsubid);
      if (++waiting_ < backlog_) continue;
      waiting_ = 0;
      for (const auto& output : outputs_) send(*output);
    }
  }

 private:
  static void send(server::connection_output& output) {
    std::array<std::string_view, 4> pieces;
    const std::size_t count = output.to_write(pieces);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) bytes += pieces[i].size();
    output.sent(bytes);
  }

  event_source source_;
  server::encoded_event event_;
  server::buffer_pool pool_;
  std::vector<std::unique_ptr<server::connection_output>> outputs_;
  std::size_t backlog_;
  std::size_t waiting_ = 0;
};

}  // namespace

void add_output_subjects(std::vector<subject_description>& to) {
  to.push_back({.name = "encode: reply of an update", .operations = operations, .make = [] {
                  return std::make_unique<encoding_reply>(1, update_of(0, 1));
                }});
  to.push_back({.name = "encode: reply of one row", .operations = operations, .make = [] {
                  return std::make_unique<encoding_reply>(1, "select * from t where k = " + key_of(0));
                }});
  to.push_back({.name = "encode: reply of 1,000 rows", .operations = 10, .make = [] {
                  return std::make_unique<encoding_reply>(1'000, "select * from t");
                }});
  to.push_back(
      {.name = "encode: event", .operations = operations, .make = [] { return std::make_unique<encoding_event>(); }});
  to.push_back({.name = "deliver: event to 1 subscriber", .operations = operations, .make = [] {
                  return std::make_unique<delivering>(1, 1);
                }});
  to.push_back({.name = "deliver: event that joins a backlog", .operations = operations, .make = [] {
                  return std::make_unique<delivering>(1, 100);
                }});
  to.push_back({.name = "deliver: event to 1,000 subscribers", .operations = 10, .make = [] {
                  return std::make_unique<delivering>(1'000, 1);
                }});
}

}  // namespace micro
