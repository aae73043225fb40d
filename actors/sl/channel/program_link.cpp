#include "actors/sl/channel/program_link.hpp"

#include "base/log.hpp"
#include "base/random.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

program_link::program_link(ml::fifo_options fifos, std::shared_ptr<merge::model_store> store,
                           std::string log_source, std::filesystem::path merge_library, bool shares_memory)
    : fifos_(std::move(fifos)), store_(std::move(store)), log_source_(std::move(log_source)),
      merge_library_(std::move(merge_library)), shares_memory_(shares_memory) {
  next_program();
}

void program_link::put(any_link_item item) {
  const std::lock_guard guard(inbox_mutex_);
  inbox_.push_back(std::move(item));
}

void program_link::put_frame(ml::header header, ml::body_buffer body) {
  const std::lock_guard guard(inbox_mutex_);
  if (frames_ < frames_max) {
    ++frames_;
    inbox_.emplace_back(link_item::frame{header.type, std::move(body)});
  } else if (!std::exchange(overrun_, true)) {
    inbox_.emplace_back(
        refuse_program{"requests came faster than they were answered; a program has one under way"});
  }
}

result<> program_link::open(const std::function<void()>& wake) {
  const std::lock_guard turn(work_mutex_);
  if (fifo_) return {};
  ml::fifo_handlers handlers{
      .on_open =
          [this, wake] {
            put(link_item::opened{});
            wake();
          },
      .on_message =
          [this, wake](ml::header header, ml::body_buffer body) {
            put_frame(header, std::move(body));
            wake();
          },
      .on_closed =
          [this, wake](std::string reason) {
            put(link_item::closed{std::move(reason)});
            wake();
          },
  };
  make_memory_socket(); // before a program can come
  SWARM_TRY(fifo_, ml::fifo_channel::create(fifos_, std::move(handlers)));
  log::info(log_source_, "Opening pipes to communicate with user container ... ({}, {})", fifos_.request_path,
            fifos_.response_path);
  return {};
}

void program_link::make_memory_socket() {
  if (!shares_memory_) return;
  auto made = ml::memory_socket::make(fifos_.request_path + ".memory", fifos_.access);
  if (!made)
    return log::info(log_source_, "models go through the pipes, not through shared memory: {}",
                     made.error().message);
  memory_ = std::make_shared<const ml::memory_socket>(std::move(*made));
  next_program();
}

void program_link::next_program() {
  if (memory_) memory_->drop_all(); // what a program that has ended sent is held by nobody
  std::array<std::uint8_t, 16> id{};
  fill_random(id);
  session_.emplace(store_, to_hex(id, false), merge_library_, memory_);
}

void program_link::refuse(const std::string& text) {
  log::warning(log_source_, "refusing the program: {}", text);
  fifo_->refuse(text);
}

/// Carries out one item.
struct program_link::worker {
  program_link& link;
  work_done& done;

  void operator()(const link_item::opened&) const {
    log::info(link.log_source_, "a program has opened the pipes");
  }
  void operator()(const link_item::frame& frame) const {
    const bool opens = frame.type == ml::msg_type::open_session_request;
    if (opens && !link.session_->is_idle()) { // a program came before the end of the former one was noticed
      done.event = link.session_->closed("another program has opened the pipes");
      link.next_program();
      done.more = true; // the frame is taken in the next turn
      return;
    }
    auto event = link.session_->take(frame.type, frame.body.view());
    if (!event) return link.refuse(event.error().message);
    if (opens) link.former_ = {};
    if (const auto* opened = std::get_if<program_opened>(&*event); opened && !opened->remark.empty())
      log::warning(link.log_source_, "{}", opened->remark);
    done.event = std::move(*event);
  }
  void operator()(const link_item::closed& closed) const {
    log::info(link.log_source_, "the pipes are closed: {}", closed.reason);
    done.event = link.session_->closed(closed.reason);
    done.program_left = true;
    if (!link.session_->is_idle()) link.former_ = link.session_->resume();
    link.next_program();
    link.fifo_->rearm();
  }
  void operator()(const answer_open& a) const { send(link.session_->answer_open(a)); }
  void operator()(const ask_loss& ask) const {
    auto reply = link.session_->ask_loss(ask);
    if (!reply) return link.refuse(reply.error().message);
    send(std::move(*reply));
  }
  void operator()(const answer_sync& answer) const { send(link.session_->answer_sync(answer)); }
  void operator()(const answer_close& answer) const { send(link.session_->answer_close(answer)); }
  void operator()(const tell_program& news) const { send(link.session_->tell(news.text)); }
  void operator()(const refuse_program& refusal) const { link.refuse(refusal.text); }
  void operator()(const program_wanted&) const {
    done.state = link.session_->is_idle() ? link.former_ : link.session_->resume();
  }

  void send(program_session::reply reply) const {
    if (auto* known = std::get_if<program_loss>(&reply)) done.event = std::move(*known);
    auto* message = std::get_if<ml::outgoing>(&reply);
    if (message == nullptr) return;
    if (auto sent = link.fifo_->send(std::move(*message)); !sent)
      log::warning(link.log_source_, "a program was not answered: {}", sent.error().message);
  }
};

program_link::work_done program_link::work() {
  work_done done;
  const std::lock_guard turn(work_mutex_);
  if (!fifo_) return done;
  any_link_item* item = nullptr;
  {
    const std::lock_guard guard(inbox_mutex_);
    if (inbox_.empty()) return done;
    item = &inbox_.front(); // others only append
  }
  std::visit(worker{*this, done}, *item);
  const std::lock_guard guard(inbox_mutex_);
  if (!done.more) { // otherwise it is not done yet
    if (std::holds_alternative<link_item::frame>(*item)) --frames_;
    if (std::holds_alternative<link_item::closed>(*item)) overrun_ = false;
    inbox_.pop_front();
  }
  done.more = !inbox_.empty();
  return done;
}

bool program_link::take_leave(const std::string& text) {
  const std::lock_guard turn(work_mutex_);
  if (!fifo_ || !session_->is_owed()) return false;
  refuse(text);
  return true;
}

void program_link::close() {
  const std::lock_guard turn(work_mutex_);
  fifo_.reset();
  memory_.reset();
}

std::string program_link::status() const {
  const std::lock_guard turn(work_mutex_);
  return session_->status();
}

std::string program_link::detail_json() const {
  const std::lock_guard turn(work_mutex_);
  if (!fifo_) return {};
  const auto now = fifo_->status();
  return boost::json::serialize(boost::json::object{{"pipes", ml::name_of(now.state)},
                                                    {"bytes_in", now.bytes_in},
                                                    {"bytes_out", now.bytes_out},
                                                    {"messages_in", now.messages_in},
                                                    {"messages_out", now.messages_out},
                                                    {"memory_bytes", session_->memory_bytes()}});
}

} // namespace swarm::actors
