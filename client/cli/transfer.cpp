#include "client/cli/transfer.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include <unistd.h>

#include "client/cli/csv.hpp"
#include "client/cli/format.hpp"
#include "client/cli/progress.hpp"
#include "client/cli/text.hpp"
#include "parser/print.hpp"

namespace pubsubsql::cli {
namespace {

// Enough under way to hide the way to the server and back; the bytes keep large rows from filling memory.
constexpr std::size_t rows_under_way_max = 1000;
constexpr std::size_t bytes_under_way_max = 8U << 20;
constexpr std::size_t failures_shown_max = 20;

/// " (1.2 s)", or nothing when nobody asked for it.
std::string time_since(session::clock::time_point begin, const output& to) {
  return to.timing ? " (" + duration_text(session::clock::now() - begin) + ")" : "";
}

bool shows_progress() {
  return ::isatty(STDERR_FILENO) != 0;
}

/// One run of \import. Lives until the last statement under way has been answered.
class importer {
 public:
  importer(session& net, const import_command& c, const output& to)
      : net_(net), command_(c), to_(to), reader_(in_), bar_(to.err, shows_progress(), "rows") {}

  bool run() {
    in_.open(command_.file, std::ios::binary);
    if (!in_) return say_cannot_open();
    std::error_code unknown;
    file_bytes_ = std::filesystem::file_size(command_.file, unknown);
    if (unknown) file_bytes_ = 0;
    if (!read_header()) return false;
    while (!stop_ && read_row()) keep_pace();
    finish();
    return report();
  }

 private:
  bool say_cannot_open() {
    to_.err << escaped(command_.file) << ": " << std::strerror(errno) << '\n';
    return false;
  }

  bool read_header() {
    csv_record header;
    const auto got = reader_.next(header);
    if (got == csv_reader::outcome::error) return complain(reader_.error_line(), reader_.error());
    if (got == csv_reader::outcome::end) {
      return complain(1, "the file is empty; its first line has to name the columns");
    }
    std::set<std::string> seen;
    std::string names;
    for (const auto& name : header.fields) {
      if (!name || name->empty()) return complain(header.line, "a column without a name");
      if (!seen.insert(*name).second) return complain(header.line, "the column '" + *name + "' is there twice");
      taken_.push_back(*name != "id");
      if (taken_.back()) names += (names.empty() ? "" : ", ") + parser::quote_name(*name);
    }
    if (names.empty()) return complain(header.line, "there is no column but 'id', which the server gives out itself");
    prefix_ = "insert into " + parser::quote_name(command_.table) + " (" + names + ") values (";
    return true;
  }

  /// Sends the next row; false at the end of the file.
  bool read_row() {
    csv_record row;
    const auto got = reader_.next(row);
    if (got == csv_reader::outcome::end) return false;
    if (got == csv_reader::outcome::error) {
      unreadable_ = true;
      return complain(reader_.error_line(), reader_.error());
    }
    if (row.fields.size() != taken_.size()) {
      refuse(row.line,
             counted(row.fields.size(), "field") + ", and the first line names " + counted(taken_.size(), "column"));
      return true;
    }
    send(row);
    return true;
  }

  void send(const csv_record& row) {
    std::string sql = prefix_;
    bool first = true;
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      if (!taken_[i]) continue;
      const auto& field = row.fields[i];
      sql += (first ? "" : ", ") + (field ? parser::quote_value(*field) : std::string("null"));
      first = false;
    }
    sql += ')';
    ++under_way_;
    bytes_under_way_ += sql.size();
    net_.start(sql, [this, line = row.line, bytes = sql.size()](const session::outcome& got) {
      --under_way_;
      bytes_under_way_ -= bytes;
      answered(line, got);
    });
  }

  void answered(std::uint64_t line, const session::outcome& got) {
    if (got) {
      inserted_ += got->affected();
    } else if (got.error().code() == errc::refused) {
      refuse(line, got.error().what());
    } else {
      if (!lost_) lost_ = got.error();
      ++unanswered_;
      stop_ = true;
    }
    bar_.show(reader_.bytes(), file_bytes_, inserted_);
  }

  void refuse(std::uint64_t line, const std::string& why) {
    if (++refused_ <= failures_shown_max) complain(line, why);
    if (refused_ == failures_shown_max + 1) to_.err << "(further refused rows are only counted)\n";
    if (!command_.go_on) stop_ = true;
  }

  bool complain(std::uint64_t line, const std::string& why) {
    bar_.clear();
    to_.err << escaped(command_.file) << ':' << line << ": " << escaped_lines(why) << '\n';
    return false;
  }

  /// Waits while too much is under way, and gives the loop a turn in any case.
  void keep_pace() {
    const bool room = net_.wait(
        [this] { return stop_ || (under_way_ < rows_under_way_max && bytes_under_way_ < bytes_under_way_max); });
    if (!room) interrupted_ = stop_ = true;
  }

  /// Every statement under way refers to this object, so none may be left: a second Ctrl-C gives up the connection.
  void finish() {
    while (!net_.wait([this] { return under_way_ == 0; })) {
      if (interrupted_) net_.hang_up();
      interrupted_ = stop_ = true;
    }
  }

  bool report() {
    bar_.clear();
    if (lost_) to_.err << escaped_lines(lost_->what()) << '\n';
    to_.out << counted(inserted_, "row") << " inserted";
    if (refused_ > 0) to_.out << ", " << refused_ << " refused";
    if (unanswered_ > 0) to_.out << ", " << unanswered_ << " sent without an answer";
    if (stop_ || unreadable_) {
      to_.out << "; stopped " << (interrupted_ ? "by Ctrl-C" : "at the error") << ", rows already sent went in";
    }
    to_.out << time_since(begin_, to_) << '\n';
    return refused_ == 0 && !stop_ && !unreadable_;
  }

  session& net_;
  const import_command& command_;
  output to_;
  session::clock::time_point begin_ = session::clock::now();
  std::ifstream in_;
  csv_reader reader_;
  progress_bar bar_;
  std::uint64_t file_bytes_ = 0;
  std::vector<bool> taken_;  // by field: goes into the table
  std::string prefix_;       // of every insert
  std::size_t under_way_ = 0;
  std::size_t bytes_under_way_ = 0;
  std::uint64_t inserted_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t unanswered_ = 0;
  std::optional<error> lost_;
  bool stop_ = false;
  bool interrupted_ = false;
  bool unreadable_ = false;
};

void write_row(std::ostream& file, const row& r) {
  for (std::size_t c = 0; c < r.size(); ++c) {
    const value v = r[c];
    file << (c == 0 ? "" : ",") << csv_field(v.is_null() ? std::nullopt : std::optional(v.text()));
  }
  file << '\n';
}

bool write_csv_file(const std::string& path, const reply& r, std::ostream& err) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  progress_bar bar(err, shows_progress(), "rows");
  for (std::size_t c = 0; c < r.columns().size(); ++c) file << (c == 0 ? "" : ",") << csv_field(r.columns()[c]);
  file << '\n';
  for (std::size_t i = 0; i < r.size() && file; ++i) {
    write_row(file, r[i]);
    bar.show(i + 1, r.size(), i + 1);
  }
  file.close();
  return static_cast<bool>(file);
}

}  // namespace

bool import_csv(session& net, const import_command& c, const output& to) {
  if (!net.connected()) throw error(errc::connection_lost, "not connected; connect with \\c first");
  return importer(net, c, to).run();
}

bool export_csv(session& net, const export_command& c, const output& to) {
  const auto begin = session::clock::now();
  const auto answer = net.execute(c.statement);
  if (!answer) throw error(answer.error().code(), answer.error().what());
  if (!answer->has_rows()) throw error(errc::usage, "this statement returns no rows to export");
  const std::string partial = c.file + ".partial";
  errno = 0;
  if (!write_csv_file(partial, *answer, to.err) || std::rename(partial.c_str(), c.file.c_str()) != 0) {
    to.err << escaped(c.file) << ": " << (errno != 0 ? std::strerror(errno) : "cannot be written") << '\n';
    std::remove(partial.c_str());
    return false;
  }
  to.out << counted(answer->size(), "row") << " written to " << escaped(c.file) << time_since(begin, to) << '\n';
  return true;
}

}  // namespace pubsubsql::cli
