// SPDX-License-Identifier: Apache-2.0
#include "app/loggers.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "app/line_writer.hpp"
#include "causeway/base/printable.hpp"

namespace causeway::app {
namespace {

constexpr std::chrono::milliseconds kLastWordsTime{500};  // when the process ends at once

// %*: the message, with nothing in it that a terminal obeys, and one line whatever it holds.
class PrintableMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string text = printable({message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<PrintableMessage>(); }
};

// %j: the same as a JSON string.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const nlohmann::json text = printable({message.payload.data(), message.payload.size()});
    const std::string escaped = text.dump();
    out.append(escaped.data(), escaped.data() + escaped.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessage>(); }
};

std::unique_ptr<spdlog::formatter> make_formatter(config::LogFormat format) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<PrintableMessage>('*').add_flag<JsonMessage>('j');
  formatter->set_pattern(format == config::LogFormat::kJson
                             ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","logger":"%n","message":%j})"
                             : "%Y-%m-%dT%H:%M:%S.%eZ %l %n: %*");
  return formatter;
}

spdlog::level::level_enum level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::kDebug:
      return spdlog::level::debug;
    case config::LogLevel::kInfo:
      return spdlog::level::info;
    case config::LogLevel::kWarning:
      return spdlog::level::warn;
    case config::LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

LineWriter::DescribeLoss loss_line(config::LogFormat format) {
  return [formatter = std::shared_ptr(make_formatter(format))](std::uint64_t lines) {
    const std::string text = std::to_string(lines) + " log lines were lost here, because nobody read standard error";
    spdlog::memory_buf_t out;
    formatter->format({spdlog::string_view_t{"app"}, spdlog::level::warn, text}, out);
    return std::string{out.data(), out.size()};
  };
}

}  // namespace

// Formats on the thread that logs, writes on another. spdlog's own asynchronous logger would do, but its end waits for
// a standard error that nobody reads.
class Loggers::Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  Sink(int descriptor, config::LogFormat format)
      : base_sink(make_formatter(format)), writer_(descriptor, loss_line(format)) {}

  LineWriter& writer() noexcept { return writer_; }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    writer_.write({line.data(), line.size()});
  }
  void flush_() override {}  // the writer does not wait for more

  LineWriter writer_;
};

Loggers make_loggers(const config::Log& options, int descriptor) {
  const auto sink = std::make_shared<Loggers::Sink>(descriptor, options.format);
  const auto make = [&](const char* name) {
    auto logger = std::make_shared<spdlog::logger>(name, sink);
    logger->set_level(level_of(options.level));
    return logger;
  };
  return {make("app"), make("turn"), make("net"), make("http"), make("signaling"), sink};
}

void Loggers::wait_written() const {
  sink->writer().wait_written(kLastWordsTime);
}

void Loggers::finish(std::chrono::milliseconds time) const {
  sink->writer().finish(time);
}

void set_level(const Loggers& loggers, config::LogLevel level) {
  for (const auto& logger : {loggers.app, loggers.turn, loggers.net, loggers.http, loggers.signaling})
    logger->set_level(level_of(level));
}

}  // namespace causeway::app
