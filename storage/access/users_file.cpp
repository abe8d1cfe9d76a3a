#include "storage/access/users_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/parser.hpp"

namespace pubsubsql::access {

namespace {

constexpr std::string_view header =
    "# The users of PubSubSQL. Written anew by the server and by `pubsubsql user`: comments other than these are not "
    "kept.\n"
    "# After changes by hand: `kill -HUP` the server. See docs/security.md.\n";

/// Far more than users_max users need.
constexpr std::size_t file_bytes_max = 64U << 20;

std::string failed(const std::string& what, const std::string& path) {
  return "cannot " + what + " " + path + ": " + std::strerror(errno);
}

/// A file descriptor that closes itself.
class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

file_stamp stamp_from(const struct stat& s) {
  constexpr std::int64_t ns_per_second = 1'000'000'000;
  return {.inode = s.st_ino, .modified_ns = s.st_mtim.tv_sec * ns_per_second + s.st_mtim.tv_nsec, .bytes = s.st_size};
}

std::optional<std::string> file_problem(const struct stat& s, const std::string& path) {
  if (!S_ISREG(s.st_mode)) return path + " is not a file; name the file that has the users";
  if ((s.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
    return path + " can be read or written by others than its owner; do chmod 600 " + path;
  }
  if (s.st_size > static_cast<off_t>(file_bytes_max)) return path + " is too large to be a file of users";
  return std::nullopt;
}

bool read_all(int fd, std::string& out) {
  char buffer[64U << 10];
  for (;;) {
    const ssize_t bytes = ::read(fd, buffer, sizeof buffer);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return bytes == 0;
    out.append(buffer, static_cast<std::size_t>(bytes));
    if (out.size() > file_bytes_max) {
      errno = EFBIG;
      return false;
    }
  }
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t bytes = ::write(fd, text.data(), text.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(bytes));
  }
  return true;
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

std::optional<std::string> add_token(user_list& list, std::string_view line) {
  std::string problem;
  auto read = parse_token(line, problem);
  if (!read) return problem;
  return list.add_token(read->user, std::move(read->of_user));
}

/// What a message about a line shows of it must not be a password.
std::optional<std::string> add_line(user_list& list, std::string_view line) {
  if (begins_as_token(line)) return add_token(list, line);
  parser::statement_arena arena;
  const auto parsed = parser::parse(line, arena);
  if (!parsed) {
    return "expected " + parsed.error().expected + " at byte " + std::to_string(parsed.error().offset + 1) +
           " of the line";
  }
  return list.apply(*parsed);
}

/// Where the file really is, so that a link to it stays one.
std::string real_path(const std::string& path) {
  std::error_code ignored;
  const auto real = std::filesystem::canonical(path, ignored);
  return ignored ? path : real.string();
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

/// Made by root, the file belongs to whom it belonged to before, or its folder does: the server's user, who is to read
/// and write it.
bool give_to_owner(int fd, const std::string& path) {
  if (::geteuid() != 0) return true;
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0 && ::stat(folder_of(path).c_str(), &s) != 0) return false;
  return ::fchown(fd, s.st_uid, s.st_gid) == 0;
}

std::optional<std::string> sync_folder_of(const std::string& path) {
  const descriptor fd(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open() || ::fsync(fd.get()) != 0) return failed("write the folder of", path);
  return std::nullopt;
}

result<file_stamp, std::string> replace_file(const std::string& path, std::string& temporary, std::string_view text) {
  const descriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));  // readable and writable by its owner only
  if (!fd.is_open()) return failed("create a file beside", path);
  struct stat s {};
  const bool written = write_all(fd.get(), text) && give_to_owner(fd.get(), path) && ::fsync(fd.get()) == 0 &&
                       ::fstat(fd.get(), &s) == 0 && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!written) {
    std::string why = failed("write", path);
    ::unlink(temporary.c_str());
    return why;
  }
  if (auto wrong = sync_folder_of(path)) return std::move(*wrong);
  return stamp_from(s);
}

}  // namespace

result<user_list, std::string> parse_users(std::string_view text, const std::string& name) {
  user_list list;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.starts_with('#') || line.starts_with("--")) continue;
    if (auto wrong = add_line(list, line)) return name + ":" + std::to_string(number) + ": " + *wrong;
  }
  return list;
}

result<stored_users, std::string> read_users(const std::string& path) {
  const descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.is_open()) {
    return failed("read", path) + (errno == ENOENT ? "; pubsubsql user add --file " + path + " --admin NAME makes it"
                                                   : "; make it readable for the server");
  }
  struct stat s {};
  if (::fstat(fd.get(), &s) != 0) return failed("read", path);
  if (auto wrong = file_problem(s, path)) return std::move(*wrong);
  std::string text;
  if (!read_all(fd.get(), text)) return failed("read", path);
  auto list = parse_users(text, path);
  if (!list) return list.error();
  return stored_users{.list = std::move(*list), .stamp = stamp_from(s)};
}

std::string print_users(const user_list& list) {
  std::string out(header);
  for (const user_list::user& u : list.users()) {
    out.append(creation_of(u)).append("\n");
    for (const std::string& grant : grants_of(u)) out.append(grant).append("\n");
    for (const token& t : u.tokens) out.append(print_token(u.name, t)).append("\n");
  }
  return out;
}

result<file_stamp, std::string> write_users(const std::string& path, const user_list& list) {
  const std::string real = real_path(path);
  std::string temporary = real + ".XXXXXX";
  return replace_file(real, temporary, print_users(list));
}

std::optional<file_stamp> stamp_of(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return std::nullopt;
  return stamp_from(s);
}

}  // namespace pubsubsql::access
