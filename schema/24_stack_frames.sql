-- The frames of stacks in readable form.
create view stack_frames as
-- stack_id: the stack
-- position: 0 is the leaf
-- function: full name of the function
-- file: source file
-- line: line in the file
-- pc: program counter
-- function_id: row in functions
select s.id as stack_id, r.id - s.first_frame as position, f.name as function, f.file as file,
  fr.line as line, fr.pc as pc, f.id as function_id
from stacks s
join raw_stack_frames r on r.id between s.first_frame and s.first_frame + s.depth - 1
join frames fr on fr.id = r.frame_id
join functions f on f.id = fr.function_id;
