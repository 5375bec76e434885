#include "core/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>

namespace xgen {
namespace {

TEST(Interrupt, TheFirstSignalAsksAndTheSecondEnds) {
  EXPECT_EXIT(
      {
        install_interrupt_handler();
        if (interrupt_requested()) std::exit(1);
        std::raise(SIGINT);
        if (!interrupt_requested()) std::exit(2);
        std::raise(SIGINT);
        std::exit(3);
      },
      ::testing::ExitedWithCode(130), "stopping after saving");
}

}  // namespace
}  // namespace xgen
