#include "config/schema/schemas.hpp"

#include "base/assert.hpp"

namespace swarm::schema {

namespace {

json_schema made(std::string_view text, std::vector<remedy> remedies, std::vector<spelling> spellings) {
  auto out = json_schema::make(text);
  SWARM_ASSERT(out.has_value());
  out->set_remedies(std::move(remedies));
  out->set_spellings(std::move(spellings));
  return std::move(*out);
}

} // namespace

const json_schema& task_schema() {
  static const json_schema schema =
      made(task_schema_text(),
           {
               {"Body.BuildSteps[]", "maxLength", "end the line with '\\' and go on in the next item"},
               {"Body.BuildSteps[]", "type", "an empty line is ' ' in quotes"},
               {"Body.Envvars", "type", "such as '- NAME: value'"},
               {"Prereq", "required", "ROOTTASK stands for none"},
               {"Body.BuildContext", "required", "~ stands for none"},
               {"Body.Auth", "required", "~ stands for none"},
               {"Body.Envvars", "required", "~ stands for none"},
               {"Body.PrivateContent", "required", "~ stands for none"},
               {"Body.SharedContent", "required", "~ stands for none"},
               {"Body.SharedContent", "minItems", "~ stands for none"},
               {"Body.OpsList[].Options", "required", "[] stands for none"},
           },
           {});
  return schema;
}

const json_schema& swop_profile_schema() {
  static const json_schema schema = made(
      swop_profile_schema_text(),
      {
          {"envvars", "type", "such as '- NAME: value'"},
          {"nodes[].slnodedef.slenvvars", "type", "such as '- NAME: value'"},
          {"nodes[].slnodedef.usrenvvars", "type", "such as '- NAME: value'"},
          {"nodes[].slnodedef.slenvvars", "required", "~ stands for none"},
          {"nodes[].slnodedef.usrenvvars", "required", "~ stands for none"},
          {"nodes[].slnodedef.privatedata", "required", "~ stands for none"},
          {"nodes[].slnodedef.slhostname", "required", "~ stands for none"},
          {"nodes[].slnodedef.usrhostname", "required", "~ stands for none"},
          {"nodes[].slnodedef", "required", "begin each node with '- slnodedef:'"},
          {"snnodes[].snnodedef", "required", "begin each SN with '- snnodedef:'"},
          {"snnodes[].snnodedef.snenvvars", "type", "such as '- NAME: value'"},
          {"snnodes[].snnodedef.identity[].attribute", "required", "begin each part with '- attribute:'"},
          {"nodes[].slnodedef.identity[].attribute", "required", "begin each part with '- attribute:'"},
      },
      {{"slenvvvars", "slenvvars"},
       {"usrenvvvars", "usrenvvars"}}); // the first as the original's guide prints it
  return schema;
}

const json_schema& members_schema() {
  static const json_schema schema =
      made(members_schema_text(),
           {
               {"rules[]", "minProperties", "give 'organisation', 'roles' or both beside 'match'"},
               {"rules[].match", "required", "'match: {}' fits every certificate"},
               {"rules[].match.issuer", "type", "such as 'issuer: { CN: CA-1 }'"},
               {"rules[].match.subject", "type", "such as 'subject: { CN: SN-1 }'"},
               {"rules[].roles", "type", "such as 'roles: [SN, SWCI]'"},
               {"rules[].roles[]", "enum", "roles are written in capitals"},
           },
           {{"organization", "organisation"}});
  return schema;
}

const json_schema& task_policy_schema() {
  static const json_schema schema =
      made(task_policy_schema_text(),
           {
               {"rules[]", "required", "such as '- { organisations: [Hospital A], take: true }'"},
               {"rules[].organisations", "type", "such as 'organisations: [Hospital A, \"Clinic *\"]'"},
               {"rules[].types", "type", "such as 'types: [RUN_SWARM]'"},
               {"rules[].types[]", "enum", "types are written in capitals"},
           },
           {{"organizations", "organisations"}});
  return schema;
}

} // namespace swarm::schema
