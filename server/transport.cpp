#include "server/transport.hpp"

namespace pubsubsql::server {

std::string_view transport::link_name() const {
  const link_ptr* const l = std::get_if<link_ptr>(&end_);
  return l != nullptr ? (*l)->name() : std::string_view();
}

bool transport::is_momentary() const {
  const link_ptr* const l = std::get_if<link_ptr>(&end_);
  return l != nullptr && (*l)->is_momentary();
}

std::string transport::description() const {
  const link_ptr* const l = std::get_if<link_ptr>(&end_);
  return l != nullptr ? (*l)->description() : std::get_if<client_socket>(&end_)->description();
}

bool transport::is_truncated() const {
  const client_socket* const s = std::get_if<client_socket>(&end_);
  return s != nullptr && s->is_truncated();
}

}  // namespace pubsubsql::server
