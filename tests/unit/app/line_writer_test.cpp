// SPDX-License-Identifier: Apache-2.0
// No line of these tests waits for a reader: where the writer did, they would not end.
#include "app/line_writer.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <spdlog/logger.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "app/loggers.hpp"

namespace causeway::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class LineWriterTest : public testing::Test {
 protected:
  LineWriterTest() {
    EXPECT_EQ(::pipe(ends_.data()), 0);
    EXPECT_GT(::fcntl(ends_[1], F_SETPIPE_SZ, 4096), 0);  // the smallest
  }
  ~LineWriterTest() override {
    if (ends_[0] >= 0) ::close(ends_[0]);
    close_writing_end();
  }
  void close_writing_end() {
    if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
  }
  // The lines up to the end of the pipe.
  std::vector<std::string> read_all() const {
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t size = 0; (size = ::read(ends_[0], buffer.data(), buffer.size())) > 0;)
      text.append(buffer.data(), static_cast<std::size_t>(size));
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);)
      lines.push_back(line);
    return lines;
  }
  static std::string loss(std::uint64_t lines) { return "lost " + std::to_string(lines) + "\n"; }

  std::array<int, 2> ends_{};
};

TEST_F(LineWriterTest, WritesLinesInTheirOrder) {
  LineWriter writer{ends_[1], loss};
  for (const char* line : {"a\n", "b\n", "c\n"})
    writer.write(line);
  writer.finish(1h);
  close_writing_end();
  EXPECT_THAT(read_all(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(writer.lost(), 0U);
}

TEST_F(LineWriterTest, LosesTheOldestLinesOfAReaderWhoDoesNotReadAndSaysHowMany) {
  LineWriter writer{ends_[1], loss, 1000};
  constexpr int kLines = 10'000;
  for (int i = 0; i < kLines; ++i)
    writer.write(std::to_string(i) + "\n");
  std::vector<std::string> lines;
  std::thread reader{[&] { lines = read_all(); }};
  writer.finish(1h);
  close_writing_end();
  reader.join();
  std::uint64_t written = 0;
  std::uint64_t lost = 0;
  int last = -1;
  for (const std::string& line : lines) {
    if (line.starts_with("lost ")) {
      lost += std::stoull(line.substr(5));
    } else {
      ++written;
      EXPECT_GT(std::stoi(line), last) << "in their order";
      last = std::stoi(line);
    }
  }
  EXPECT_EQ(last, kLines - 1) << "the newest stay";
  EXPECT_GT(lost, 0U);
  EXPECT_EQ(written + lost, kLines);
  EXPECT_EQ(writer.lost(), lost);
}

TEST_F(LineWriterTest, EndsAlthoughNobodyReads) {
  LineWriter writer{ends_[1], loss};
  for (int i = 0; i < 5; ++i)
    writer.write(std::string(4000, 'x') + "\n");
  writer.wait_written(1ms);
  writer.finish(1ms);
  writer.write("later\n");
  EXPECT_GE(writer.lost(), 1U);
}

TEST_F(LineWriterTest, GoesOnWhenItsReaderHasGone) {
  ::signal(SIGPIPE, SIG_IGN);
  ::close(std::exchange(ends_[0], -1));
  LineWriter writer{ends_[1], loss};
  writer.write("a\n");
  writer.write("b\n");
  writer.finish(1h);
  EXPECT_GE(writer.lost(), 2U);
}

TEST_F(LineWriterTest, TakesLinesOfManyThreads) {
  LineWriter writer{ends_[1], loss};
  std::vector<std::string> lines;
  std::thread reader{[&] { lines = read_all(); }};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int line = 0; line < 500; ++line)
        writer.write("line\n");
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  writer.finish(1h);
  close_writing_end();
  reader.join();
  EXPECT_EQ(lines, std::vector<std::string>(2000, "line"));
}

TEST_F(LineWriterTest, WritesWithinATime) {
  EXPECT_TRUE(write_within(ends_[1], std::string(4096, 'x'), 1h));
  EXPECT_FALSE(write_within(ends_[1], "x", 1ms)) << "the pipe is full";
}

TEST_F(LineWriterTest, LoggersSayInTheirFormatHowManyLinesAreLost) {
  config::Log options;
  options.format = config::LogFormat::kJson;
  std::vector<std::string> lines;
  {
    const Loggers loggers = make_loggers(options, ends_[1]);
    for (int i = 0; i < 3000; ++i)
      loggers.net->info("{} {}", i, std::string(1000, 'x'));
    std::thread reader{[&] { lines = read_all(); }};
    loggers.app->warn("the last");
    loggers.finish(1h);
    close_writing_end();
    reader.join();
  }
  bool has_loss = false;
  for (const std::string& line : lines) {
    const auto entry = nlohmann::json::parse(line);
    has_loss = has_loss || entry["message"].get<std::string>().find(" log lines were lost here") != std::string::npos;
  }
  EXPECT_TRUE(has_loss);
  EXPECT_THAT(lines.back(), HasSubstr("the last"));
}

}  // namespace
}  // namespace causeway::app
