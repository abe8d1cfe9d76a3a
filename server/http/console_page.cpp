#include "server/http/console_page.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/beast/http/rfc7230.hpp>
#include <zlib.h>

#include "server/http/connection.hpp"

// The page is a part of the program, as the linker's input has it.
__asm__(
    ".pushsection .rodata\n"
    ".global pubsubsql_console_page\n"
    ".global pubsubsql_console_page_end\n"
    "pubsubsql_console_page:\n"
    ".incbin \"" PUBSUBSQL_CONSOLE_PAGE
    "\"\n"
    "pubsubsql_console_page_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern "C" {
extern const char pubsubsql_console_page[];
extern const char pubsubsql_console_page_end[];
}

namespace pubsubsql::server::http {

namespace {

std::string_view plain_page() {
  return {pubsubsql_console_page, pubsubsql_console_page_end};
}

std::string gzip(std::string_view text) {
  constexpr int gzip_window_bits = 15 + 16;  // 16 asks for the gzip format
  constexpr int memory_level = 9;
  z_stream z{};
  if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_window_bits, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out(deflateBound(&z, text.size()), '\0');
  std::string in(text);
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const int end = deflate(&z, Z_FINISH);
  out.resize(end == Z_STREAM_END ? z.total_out : 0);
  deflateEnd(&z);
  return out;
}

/// What tells one version of the page from another (FNV-1a).
std::string tag_of(std::string_view text, std::string_view suffix) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return "\"" + std::to_string(hash) + std::string(suffix) + "\"";
}

struct page {
  std::string body;
  std::string tag;
};

/// Compressed at the first request; empty when that failed.
const page& compressed_page() {
  static const page p{.body = gzip(plain_page()), .tag = tag_of(plain_page(), "-gzip")};
  return p;
}

const std::string& plain_tag() {
  static const std::string tag = tag_of(plain_page(), "");
  return tag;
}

bool takes_gzip(const request& r) {
  return boost::beast::http::ext_list(r[field::accept_encoding]).exists("gzip");
}

}  // namespace

void serve_console(connection& c) {
  const bool compressed = takes_gzip(c.current()) && !compressed_page().body.empty();
  const std::string& tag = compressed ? compressed_page().tag : plain_tag();
  const bool is_known = field_of(c.current(), field::if_none_match).find(tag) != std::string_view::npos;
  std::string body;
  if (!is_known) body = compressed ? compressed_page().body : std::string(plain_page());
  response r = make_response(is_known ? status::not_modified : status::ok, "text/html; charset=utf-8", std::move(body));
  if (compressed) r.set(field::content_encoding, "gzip");
  r.set(field::vary, "Accept-Encoding");
  r.set(field::etag, tag);
  r.set(field::cache_control, "no-cache");
  r.set("Content-Security-Policy", "frame-ancestors 'none'");
  r.set("X-Content-Type-Options", "nosniff");
  r.set("Referrer-Policy", "no-referrer");
  c.respond(std::move(r));
}

void serve_no_icon(connection& c) {
  response r(status::no_content, 11);
  r.set(field::cache_control, "max-age=86400");
  c.respond(std::move(r));
}

}  // namespace pubsubsql::server::http
