#include "core/log.h"

#include <gmock/gmock.h>

namespace xgen::log {
namespace {

TEST(Log, WritesDurationsAsPeopleSayThem) {
  EXPECT_EQ(duration_text(-1), "0 s");
  EXPECT_EQ(duration_text(3.24), "3.2 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(245), "4 min 05 s");
  EXPECT_EQ(duration_text(7380), "2 h 03 min");
}

TEST(Log, GoesToStandardError) {
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  warning("the disk is nearly full {}");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::HasSubstr("warning the disk is nearly full {}\n"));
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
}

TEST(Progress, CountsOnlyWhatThisRunDid) {
  Progress progress("test", 100, "images", 90);
  EXPECT_EQ(progress.rate(), 0);
  progress.update(95);
  EXPECT_GT(progress.rate(), 0);
}

}  // namespace
}  // namespace xgen::log
