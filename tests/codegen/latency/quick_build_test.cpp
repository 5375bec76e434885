#include "codegen/latency/quick_build.h"

#include <gmock/gmock.h>

#include "codegen/targets.h"
#include "core/interrupt.h"
#include "tests/support/environment.h"
#include "tests/support/temporary_folder.h"

namespace xgen::latency {
namespace {

TEST(QuickBuild, StopsGoesOnAndServesWhenItIsFinished) {
  const test::TemporaryFolder folder;
  const test::EnvironmentVariable place("XDG_DATA_HOME", folder.path().string());
  const Target target = find_target("host");
  const Platform here = host_platform(target);
  constexpr double kMinutes = 0.001;  // one batch
  request_interrupt();
  EXPECT_THROW(quick_build(target, kMinutes), Interrupted);
  request_interrupt(false);
  const auto own = [&] {
    const std::optional<FoundTable> found = find_table(here);
    return found && found->origin == table_file(here).string();
  };
  EXPECT_FALSE(own());
  BuildOptions before;
  before.minutes = kMinutes;
  before.file = table_file(here).string() + ".part";
  build_table(target, before);
  EXPECT_FALSE(own());
  const FoundTable built = quick_build(target, kMinutes);
  EXPECT_EQ(built.table.measurement().batches, 2);  // that of the build before, and one more
  EXPECT_TRUE(own());
  EXPECT_EQ(find_table(here)->table.samples().size(), built.table.samples().size());
  EXPECT_FALSE(std::filesystem::exists(table_file(here).string() + ".part"));
}

TEST(PutAsideForeign, KeepsWhatCanBeGoneOnWith) {
  const test::TemporaryFolder folder;
  const Platform here{"x86_64", "x86-avx2", "a CPU", "cc 1"};
  const auto file = folder / "t.json", old = folder / "t.json.old";
  put_aside_foreign(file, here);
  LatencyTable(here, {}).save(file);
  put_aside_foreign(file, here);
  EXPECT_FALSE(std::filesystem::exists(old));
  LatencyTable({"x86_64", "x86-avx2", "a CPU", "cc 2"}, {}).save(file);
  put_aside_foreign(file, here);
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(LatencyTable::load(old).platform().compiler, "cc 2");
  folder.put("t.json", "of another version");
  put_aside_foreign(file, here);
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(test::contents(old), "of another version");
}

}  // namespace
}  // namespace xgen::latency
