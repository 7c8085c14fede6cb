#include "experiments/cli/commands.h"
#include "experiments/messages.h"

int main(int argc, char** argv) {
  dspark::claim_standard_streams();
  return dspark::command_line(argc, argv);
}
