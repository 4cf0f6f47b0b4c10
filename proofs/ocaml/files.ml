(* The files among the paths: certificates, and networks by their SHA-256.  A path may be a folder; its files are looked at,
   folders inside are not.  Only regular files are read, and no link is followed. *)

type kind = Certificate | Network | Other | Unreadable

let error_text error = String.lowercase_ascii (Unix.error_message error)

(* ---------- names ---------- *)

(* without empty parts and parts that are a dot *)
let normal path =
  let parts = List.filter (fun part -> part <> "" && part <> ".") (String.split_on_char '/' path) in
  let joined = String.concat "/" parts in
  if path <> "" && path.[0] = '/' then "/" ^ joined else if joined = "" then "." else joined

let inside folder name = if folder = "." then name else if folder = "/" then "/" ^ name else folder ^ "/" ^ name

(* ---------- reading ---------- *)

exception Unusable of string

(* A regular file, opened without waiting (a pipe would) and not through a link: what was opened is what the name is. *)
let with_file path read =
  try
    let seen = Unix.lstat path in
    let descriptor = Unix.openfile path [ Unix.O_RDONLY; Unix.O_NONBLOCK; Unix.O_CLOEXEC ] 0 in
    Fun.protect ~finally:(fun () -> Unix.close descriptor) (fun () ->
      let opened = Unix.fstat descriptor in
      if opened.st_kind <> Unix.S_REG || (opened.st_dev, opened.st_ino) <> (seen.st_dev, seen.st_ino)
      then raise (Unusable "not a regular file");
      read descriptor opened.st_size)
  with Unix.Unix_error (error, _, _) -> raise (Unusable (error_text error))

(* `length` bytes, or as many as there are *)
let read_bytes descriptor length =
  let buffer = Bytes.create length in
  let rec fill position =
    if position = length then Bytes.unsafe_to_string buffer
    else
      match Unix.read descriptor buffer position (min (length - position) 0x100000) with
      | 0 -> Bytes.sub_string buffer 0 position
      | found -> fill (position + found) in
  fill 0

(* a file in full; raises Unusable *)
let contents path =
  with_file path (fun descriptor size ->
    if size > Limits.largest_file then raise (Unusable (Printf.sprintf "more than %d bytes" Limits.largest_file));
    read_bytes descriptor size)

let kind_of path problem =
  match with_file path (fun descriptor _ -> read_bytes descriptor 64) with
  | exception Unusable reason ->
      problem (Printf.sprintf "%s: cannot be read (%s)" path reason);
      Unreadable
  | start ->
      (* its first word, without what counts as a blank at its end *)
      let rec ending i = if i < String.length start && start.[i] <> ' ' && start.[i] <> '\n' then ending (i + 1) else i in
      let rec trimmed i = if i > 0 && start.[i - 1] >= '\t' && start.[i - 1] <= '\r' then trimmed (i - 1) else i in
      match String.sub start 0 (trimmed (ending 0)) with
      | "exactrelu-certificate" -> Certificate
      | "exactrelu-network" -> Network
      | _ -> Other

(* ---------- finding ---------- *)

(* the regular files of a folder, by name *)
let listed folder problem =
  match Sys.readdir folder with
  | exception Sys_error reason ->
      problem (Printf.sprintf "%s: the folder cannot be read (%s)" folder reason);
      []
  | names ->
      Array.sort compare names;
      let paths = List.map (inside folder) (Array.to_list names) in
      List.filter (fun path -> try (Unix.lstat path).st_kind = Unix.S_REG with Unix.Unix_error _ -> false) paths

let named problem given =
  let path = normal given in
  match Unix.lstat path with
  | exception Unix.Unix_error _ ->
      problem (path ^ ": there is no such file or folder");
      []
  | seen ->
      let is_folder = try (Unix.stat path).st_kind = Unix.S_DIR with Unix.Unix_error _ -> false in
      if is_folder then listed path problem
      else if seen.st_kind = Unix.S_REG then [ path ]
      else begin
        problem (path ^ ": not a regular file; name the file itself");
        []
      end

(* each once, in the order of the first *)
let distinct paths =
  let known = Hashtbl.create 64 in
  List.filter (fun path -> (not (Hashtbl.mem known path)) && (Hashtbl.replace known path (); true)) paths

(* ---------- networks ---------- *)

(* The text that was read last: most often it is the only network, and is then read and hashed once. *)
let latest = ref None

let network_text path =
  match !latest with
  | Some (known, sha256, bytes) when known = path -> Some (sha256, bytes)
  | _ ->
      latest := None;
      match contents path with
      | exception Unusable _ -> None
      | bytes ->
          let sha256 = Sha256.hexadecimal bytes in
          latest := Some (path, sha256, bytes);
          Some (sha256, bytes)

let forget_text () = latest := None

type found = { certificates : string list; ignored : string list; networks : (string, string) Hashtbl.t }

(* Network files are looked for among the paths and beside the certificates; the first with a SHA-256 counts. *)
let find given problem =
  let paths = distinct (List.concat_map (named problem) given) in
  let kinds = List.map (fun path -> (path, kind_of path problem)) paths in
  let of_kind wanted = List.filter_map (fun (path, kind) -> if List.mem kind wanted then Some path else None) kinds in
  let certificates = of_kind [ Certificate ] in
  let beside = List.concat_map (fun folder -> listed folder ignore) (distinct (List.map Filename.dirname certificates)) in
  let looked_at = Hashtbl.create 64 in
  List.iter (fun path -> Hashtbl.replace looked_at path ()) paths;
  let others = List.filter (fun path -> (not (Hashtbl.mem looked_at path)) && kind_of path ignore = Network) beside in
  let networks = Hashtbl.create 4 in
  if certificates <> [] then
    List.iter (fun path ->
      match network_text path with
      | Some (sha256, _) when not (Hashtbl.mem networks sha256) -> Hashtbl.replace networks sha256 path
      | _ -> ()) (of_kind [ Network ] @ others);
  { certificates; ignored = of_kind [ Other; Unreadable ]; networks }
