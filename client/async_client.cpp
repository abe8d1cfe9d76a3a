#include <pubsubsql/async_client.hpp>

#include "client/connection.hpp"
#include "client/statement_kind.hpp"

namespace pubsubsql::detail {
namespace {

std::exception_ptr pointer_to(const error& why) {
  return std::make_exception_ptr(why);
}

/// Turns what the connection says of an operation without a value into what a completion handler gets.
connection::done_handler reporting(async_core::completion<> done) {
  return [done = std::move(done)](std::optional<error> failure) mutable {
    done(failure ? pointer_to(*failure) : nullptr);
  };
}

connection::reply_handler reporting(async_core::completion<reply> done) {
  return [done = std::move(done)](protocol::outcome got) mutable {
    if (!got) return done(pointer_to(got.error()), reply{});
    done(nullptr, std::move(*got));
  };
}

}  // namespace

async_core::async_core(boost::asio::any_io_executor executor, const client_options& options, int boost_version)
    : executor_(std::move(executor)) {
  if (boost_version != BOOST_VERSION) {
    throw error(errc::usage, "this program was compiled with Boost " + std::to_string(boost_version) +
                                 " and libpubsubsql with " + std::to_string(BOOST_VERSION) +
                                 "; compile both with the same, or use pubsubsql::client");
  }
  connection_ = std::make_shared<connection>(executor_, options);
}

async_core::~async_core() {
  if (connection_) connection_->close();
}

void async_core::connect(std::string host, std::uint16_t port, completion<> done) {
  connect_called_ = true;
  connection_->connect(std::move(host), port, reporting(std::move(done)));
}

void async_core::reconnect(completion<> done) {
  if (!connect_called_) throw error(errc::usage, "nothing to reconnect to; call async_connect() first");
  connection_->reconnect(reporting(std::move(done)));
}

void async_core::execute(std::string_view sql, completion<reply> done) {
  connection_->execute(sql, false, reporting(std::move(done)));
}

void async_core::subscribe(std::string_view sql, const std::optional<subscribe_options>& how,
                           completion<subscription> done) {
  if (kind_of(sql) != statement_kind::subscribe) {
    throw error(errc::usage, "async_subscribe() is for subscribe statements");
  }
  auto report = [done = std::move(done)](std::exception_ptr failure, const reply& r) mutable {
    done(std::move(failure), r.subscription());
  };
  connection_->execute(sql, false, reporting(completion<reply>(std::move(report))), how);
}

void async_core::unsubscribe(subscription handle, completion<> done) {
  connection_->unsubscribe(handle, [done = std::move(done)](const protocol::outcome& got) mutable {
    done(got ? nullptr : pointer_to(got.error()));
  });
}

void async_core::next_event(completion<event> done) {
  connection_->next_event([done = std::move(done)](result<event, error> got) mutable {
    if (!got) return done(pointer_to(got.error()), event{});
    done(nullptr, std::move(*got));
  });
}

void async_core::room(completion<> done) {
  connection_->when_room(reporting(std::move(done)));
}

void async_core::drain(completion<std::vector<stream_error>> done) {
  execute("status", [done = std::move(done), c = connection_](std::exception_ptr failure, const reply&) mutable {
    done(std::move(failure), c->take_stream_errors());
  });
}

std::uint32_t async_core::stream(std::string_view sql) {
  const auto sent = connection_->stream(sql);
  if (!sent) throw sent.error();
  return *sent;
}

void async_core::flush() {
  connection_->flush();
}
void async_core::close() {
  connection_->close();
}
bool async_core::connected() const {
  return connection_->connected();
}
bool async_core::has_room() const {
  return connection_->has_room();
}

}  // namespace pubsubsql::detail
