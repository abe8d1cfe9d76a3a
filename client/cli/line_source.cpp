#include "client/cli/line_source.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <sys/stat.h>
#include <unistd.h>

#include "parser/request_reader.hpp"

namespace pubsubsql::cli {

line_source::line_source(boost::asio::io_context& loop, session& net, int descriptor)
    : net_(net), descriptor_(descriptor) {
  struct stat about {};
  const bool regular = ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
  if (regular) return;
  boost::system::error_code failure;
  waitable_.emplace(loop);
  waitable_->assign(::dup(descriptor), failure);
  if (failure) waitable_.reset();  // such as /dev/null: always ready
}

line_source::~line_source() {
  ::close(descriptor_);
}

std::optional<std::string> line_source::next() {
  std::size_t scanned = begin_;
  for (;;) {
    const std::size_t end = text_.find('\n', scanned);
    if (end != std::string::npos) {
      std::string line = text_.substr(begin_, end - begin_);
      begin_ = end + 1;
      return line;
    }
    text_.erase(0, std::exchange(begin_, 0));
    scanned = text_.size();
    if (text_.size() > parser::statement_bytes_limit) {
      throw error(errc::usage, "a line is longer than any statement may be");
    }
    if (!ended_ && read_more()) continue;
    if (text_.empty()) return std::nullopt;
    return std::exchange(text_, {});
  }
}

bool line_source::read_more() {
  constexpr std::size_t chunk_bytes = 64U << 10;
  if (waitable_) {
    const auto ready = std::make_shared<bool>(false);
    waitable_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                          [ready](boost::system::error_code) { *ready = true; });
    net_.wait([ready] { return *ready; });
  }
  const std::size_t before = text_.size();
  text_.resize(before + chunk_bytes);
  ssize_t got = 0;
  do {
    got = ::read(descriptor_, text_.data() + before, chunk_bytes);
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw error(errc::usage, std::string("cannot be read: ") + std::strerror(errno));
  text_.resize(before + static_cast<std::size_t>(got));
  ended_ = got == 0;
  return !ended_;
}

}  // namespace pubsubsql::cli
