#include "controller/model/finding.hpp"

namespace zellige {

namespace {

constexpr Cause kCauses[] = {
    {"act.outcome_unknown", "An act that cannot be seen may or may not have happened",
     "Check the machine by hand, then retry or release the run.", true},
    {"act.rejected", "The device refused what it was asked to do",
     "Read the device's answer in the detail; correct the cause, then retry the run.", true},
    {"bmc.bad_reply", "The BMC answers with something that cannot be believed",
     "Read in the detail what was wrong with its answer; update or reset the BMC, then retry the run.", true},
    {"bmc.certificate_changed", "The BMC shows another TLS certificate than before",
     "If the BMC or its board was replaced or reset to factory, accept the new certificate (zellige node "
     "accept-certificate SERIAL --reason …) and retry the run; if not, find out who answers.",
     true},
    {"bmc.credentials", "The BMC refuses the password we have",
     "Read the password on the pull tag, import it and then retry the run. After a reset to factory, import "
     "the "
     "manifest as it is: its password is tried again.",
     true},
    {"bmc.lease_conflict", "DHCP and the manifest do not agree about the BMC's address",
     "The detail says who has which. Correct the manifest, or the DHCP server's reservation; the finding is "
     "resolved by itself when they agree.",
     false},
    {"bmc.password_change", "The BMC demands a password change, and its place is not armed",
     "Arm the place, or change the password by hand and import it.", false},
    {"burnin.failed", "A burn-in test was outside its limits",
     "Reseat the tray and rerun the test once; if it fails again, replace the part that the detail names.",
     true},
    {"cooling.leak", "A leak sensor reports moisture",
     "Do not power the tray. Follow the site's leak procedure; retry the run when the sensor is dry.", true},
    {"cooling.on_before_dry", "The host had power before its leak sensors were read",
     "Find out who or what switched it on; its BMC's power restore policy should be AlwaysOff.", false},
    {"controller.crashes", "The controller died twenty times in this step",
     "Do not retry. Save the log and the database and report it.", true},
    {"domain.bundle", "The members of the NVLink domain are not at one bundle",
     "Qualify each member that the finding is on again; the domain is then checked again by itself.", false},
    {"domain.burnin", "The tray failed the burn-in of its NVLink domain",
     "Reseat the tray and its NVLink cartridge connection, then qualify it again; if it fails again, replace "
     "the part "
     "that the detail names.",
     true},
    {"domain.control_plane", "The NVLink control plane does not come up",
     "Read its state in the detail; look at nmx-controller on the leading switch tray, then begin again: "
     "zellige rack bring-up PLACE --reason ….",
     false},
    {"domain.host_off", "A host of the NVLink domain is off",
     "Find out why, power it on, then begin again: zellige rack bring-up PLACE --reason ….", false},
    {"domain.no_agent", "A host does not take part in the burn-in of its NVLink domain",
     "Look at its console: it is off, hangs, or the provisioning network does not let it through. Then begin "
     "again: "
     "zellige rack bring-up PLACE --reason ….",
     false},
    {"firmware.hgx_missing", "The HGX baseboard did not come back after the power cycle",
     "Power the tray off at the shelf for a minute, then retry the run; if it stays away, replace the tray.",
     true},
    {"firmware.not_applied", "The wanted firmware version did not come alive",
     "Look at the update task in the detail; retry the run once, then open a case with the vendor.", true},
    {"firmware.rejected", "The BMC refused the firmware package",
     "Check that baseline and machine belong together; read the BMC's answer in the detail.", true},
    {"image.failed", "The image could not be written or verified",
     "Look at the agent's error in the detail; replace the disk if it is the disk.", true},
    {"image.no_agent", "The machine did not start the deploy agent from virtual media",
     "Look at the serial console and at BootProgress; check that the BMC can reach the provisioning address.",
     true},
    {"inventory.missing_part", "A part that was ordered is not there, or not complete",
     "Open the tray, reseat or replace the part that the detail names.", true},
    {"inventory.sick_part", "A part says that it is failing", "Replace the part that the detail names.", true},
    {"inventory.wrong_part", "A part is not the one that was ordered",
     "Compare the tray with its order; swap the part or correct the SKU.", true},
    {"node.host_off", "The host of a machine in service is off",
     "Find out who or what switched it off; power it on, or drain and repair it.", false},
    {"os.no_call_home", "The installed system did not call home",
     "Look at the serial console; check that the host network reaches the provisioning address.", true},
    {"place.wrong_serial", "Another machine is in this place than the manifest says",
     "Compare the serial on the label with the manifest; move the tray or correct the manifest.", true},
    {"power.stuck", "The host did not reach the power state that it was asked for",
     "Look at the tray's power indicator; power it at the shelf if needed, then retry the run.", true},
    {"rack.kept_waiting", "A run over the whole rack waited too long for this member, and has ended",
     "Bring the member back, release its hold, or arm the place; the run is begun again by itself.", false},
    {"rack.run_failed", "A run over the whole rack ended at this member",
     "Mend what the detail says, then begin again: zellige rack bring-up PLACE --reason ….", false},
    {"run.step_unknown", "This run stands at a step that this version does not have",
     "Cancel the run and start the workflow again.", true},
    {"step.deadline", "A step took longer than it may",
     "Look at what the step waits for in the detail; retry the run.", true},
    {"step.tries", "A step did not take effect within its tries",
     "Read in the detail what the machine shows; check it by hand, then retry the run.", true},
};

}  // namespace

std::span<const Cause> causes() { return kCauses; }

const Cause* findCause(std::string_view code) {
  for (const auto& cause : kCauses)
    if (cause.code == code) return &cause;
  return nullptr;
}

}  // namespace zellige
