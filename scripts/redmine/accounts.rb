# What an administrator of Redmine does by hand: the REST interface is switched on, a project, a role, accounts. Run by
# `rails runner accounts.rb FILE`; the keys of the accounts are written to FILE.
Setting.rest_api_enabled = "1"
Setting.default_language = "en"

# rights that the account of shorewatch needs, and no more
rights = [:view_issues, :add_issues, :edit_issues, :add_issue_notes]
manager = Role.find_by!(:name => "Manager")

# a kind of issue of its own: the page of an issue begins with its name
bug = Tracker.find_by!(:name => "Bug")
tracker = Tracker.create!(:name => "Shoreline problem", :default_status => bug.default_status)
WorkflowRule.copy(bug, nil, [tracker], Role.givable.to_a)
project = Project.create!(:name => "Shoreline inspection", :identifier => "shorewatch", :trackers => [tracker], :is_public => false)

account = lambda do |login, first, last, role|
  user = User.new(:firstname => first, :lastname => last, :mail => "#{login}@example.invalid", :language => "en")
  user.login = login
  user.password = user.password_confirmation = "river-chief-office"
  user.save!
  Member.create!(:project => project, :principal => user, :roles => [role])
  user.api_key
end

# from every status to every other one, as it is wanted for what is withdrawn and what comes back
inspection = Role.create!(:name => "Inspection", :permissions => rights)
WorkflowRule.copy(tracker, manager, [tracker], [inspection])
# the same rights without any change of status
narrow = Role.create!(:name => "Inspection without workflow", :permissions => rights)

keys = {
  "shorewatch" => account.call("shorewatch", "Shorewatch", "inspection", inspection),
  "narrow" => account.call("narrow", "Shorewatch", "without workflow", narrow),
  "office" => account.call("office", "River chief", "office", manager),
}
File.write(ARGV.last, JSON.generate(keys))
