#include "server/metrics/exposition.hpp"

#include <array>
#include <charconv>

namespace pubsubsql::server {

namespace {

std::string_view name_of(exposition::type t) {
  switch (t) {
    case exposition::type::counter:
      return "counter";
    case exposition::type::gauge:
      return "gauge";
    case exposition::type::histogram:
      break;
  }
  return "histogram";
}

/// Help texts escape less than label values: a quote stands for itself there.
void append_escaped(std::string& out, std::string_view text, bool quoted) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (quoted && c == '"')) out += '\\';
    out += c;
  }
}

void append(std::string& out, double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

}  // namespace

void exposition::family(std::string_view name, type t, std::string_view help) {
  name_ = name;
  out_.append("# HELP ").append(name).append(" ");
  append_escaped(out_, help, false);
  out_.append("\n# TYPE ").append(name).append(" ").append(name_of(t)).append("\n");
}

void exposition::begin_sample(std::string_view suffix, std::span<const label> labels) {
  out_.append(name_).append(suffix);
  char before = '{';
  for (const auto& [name, value] : labels) {
    out_ += before;
    out_.append(name).append("=\"");
    append_escaped(out_, value, true);
    out_ += '"';
    before = ',';
  }
  if (!labels.empty()) out_ += '}';
  out_ += ' ';
}

void exposition::end_sample(std::uint64_t value) {
  out_.append(std::to_string(value)).append("\n");
}

void exposition::end_sample(double value) {
  append(out_, value);
  out_ += '\n';
}

void exposition::sample(std::uint64_t value, std::span<const label> labels) {
  begin_sample({}, labels);
  end_sample(value);
}

void exposition::sample(double value, std::span<const label> labels) {
  begin_sample({}, labels);
  end_sample(value);
}

void exposition::samples(const duration_histogram& h) {
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < h.counts().size(); ++i) {
    so_far += h.counts()[i];
    std::string bound = "+Inf";
    if (i < h.bounds_ns.size()) {
      bound.clear();
      append(bound, static_cast<double>(h.bounds_ns[i]) / 1e9);
    }
    const label le{"le", bound};
    begin_sample("_bucket", std::span(&le, 1));
    end_sample(so_far);
  }
  begin_sample("_sum", {});
  end_sample(h.sum_seconds());
  begin_sample("_count", {});
  end_sample(so_far);
}

}  // namespace pubsubsql::server
