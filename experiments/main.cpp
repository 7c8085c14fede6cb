#include "experiments/cli/commands.h"

int main(int argc, char** argv) { return dspark::command_line(argc, argv); }
