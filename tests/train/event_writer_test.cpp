#include "train/event_writer.h"

#include <gmock/gmock.h>

#include <cstring>

#include "tests/support/temporary_folder.h"

namespace xgen::train {
namespace {

using test::contents;
using test::TemporaryFolder;

TEST(EventWriter, SumsAgreeWithTheStandard) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);  // RFC 3720, appendix B.4
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
}

TEST(EventWriter, WritesRecordsOfEvents) {
  const TemporaryFolder folder;
  EventWriter writer(folder.path());
  writer.scalar("dense/loss", 0.5, 300);
  const EventWriter second(folder.path());
  EXPECT_NE(second.path(), writer.path());
  EXPECT_THAT(writer.path().filename().string(), ::testing::StartsWith("events.out.tfevents."));

  const std::string bytes = contents(writer.path());
  std::vector<std::string> events;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint64_t length = 0;
    std::memcpy(&length, &bytes[at], 8);
    std::uint32_t sum = 0;
    std::memcpy(&sum, &bytes[at + 12 + length], 4);
    const std::string event = bytes.substr(at + 12, length);
    const std::uint32_t unmasked = sum - 0xA282EAD8U;
    EXPECT_EQ((unmasked >> 17) | (unmasked << 15), crc32c(event));
    events.push_back(event);
    at += length + 16;
  }
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].substr(9),
            "\x1A\x0D"
            "brain.Event:2");
  // wall_time; step = 300; summary { value { tag, simple_value = 0.5f } }.
  const std::string value =
      std::string("\x0A\x0A") + "dense/loss" + std::string("\x15\0\0\0\x3F", 5);
  EXPECT_EQ(events[1].substr(9), std::string("\x10\xAC\x02\x2A\x13\x0A\x11") + value);
}

}  // namespace
}  // namespace xgen::train
