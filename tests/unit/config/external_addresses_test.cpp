// SPDX-License-Identifier: Apache-2.0
#include "app/external_addresses.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

namespace causeway::app {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

config::ExternalAddress entry(const std::string& host, std::optional<IpAddress> local = std::nullopt) {
  return {host, IpAddress::parse(host), local};
}

TEST(ChooseAddress, KeepsThePresentOneWhileItIsThereElseTakesTheLowestOfTheFamily) {
  const std::vector answers{ip("203.0.113.9"), ip("2001:db8::9"), ip("203.0.113.7")};
  EXPECT_EQ(choose_address(answers, AddressFamily::kIPv4, std::nullopt), ip("203.0.113.7"));
  EXPECT_EQ(choose_address(answers, AddressFamily::kIPv4, ip("203.0.113.9")), ip("203.0.113.9"));
  EXPECT_EQ(choose_address(answers, AddressFamily::kIPv4, ip("203.0.113.8")), ip("203.0.113.7"));
  EXPECT_EQ(choose_address(answers, AddressFamily::kIPv6, ip("203.0.113.9")), ip("2001:db8::9"));
  EXPECT_EQ(choose_address({ip("203.0.113.9")}, AddressFamily::kIPv6, std::nullopt), std::nullopt);
}

TEST(ExternalAddresses, ResolvesNamesAtTheStart) {
  asio::io_context io;
  const ExternalAddresses addresses{
      io.get_executor(),
      {entry("localhost", ip("10.0.0.5")), entry("203.0.113.7"), entry("203.0.113.8", ip("10.0.0.6"))},
      nullptr};
  const auto current = addresses.current();
  ASSERT_EQ(current.size(), 3u);
  EXPECT_TRUE(current[0].external.is_loopback());
  EXPECT_EQ(current[0].local, ip("10.0.0.5"));
  EXPECT_EQ(current[1].external, ip("203.0.113.7"));
  EXPECT_EQ(current[1].local, std::nullopt);
  EXPECT_EQ(current[2].external, ip("203.0.113.8"));
}

TEST(ExternalAddresses, ANameWithoutAnAddressKeepsTheDaemonFromStarting) {
  asio::io_context io;
  EXPECT_THAT(([&] {
                ExternalAddresses{io.get_executor(), {entry("no-such-name.invalid")}, nullptr};
              }),
              ThrowsMessage<std::runtime_error>(HasSubstr("cannot resolve \"no-such-name.invalid\"")));
}

}  // namespace
}  // namespace causeway::app
