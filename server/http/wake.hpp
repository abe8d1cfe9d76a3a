#pragma once

#include <memory>
#include <utility>

#include <boost/asio/post.hpp>

#include "server/web_link.hpp"

namespace pubsubsql::server::http {

/// Calls a handler that waits on a link, if there is one, later: not if the link's session is over by then.
template <typename Link>
void wake(std::shared_ptr<Link> link, web_link::wait_handler& handler) {
  if (!handler) return;
  const auto executor = link->executor();
  boost::asio::post(executor, [link = std::move(link), call = std::exchange(handler, nullptr)] {
    if (!link->is_over()) call({});
  });
}

}  // namespace pubsubsql::server::http
